// Original file: proto/novaedge.proto


export interface Cluster {
  'name'?: (string);
  'lbPolicy'?: (string);
  'connectTimeoutMs'?: (number);
  'idleTimeoutMs'?: (number);
  'maxConnections'?: (number);
  'maxPendingRequests'?: (number);
}

export interface ClusterDecoded {
  'name': (string);
  'lbPolicy': (string);
  'connectTimeoutMs': (number);
  'idleTimeoutMs': (number);
  'maxConnections': (number);
  'maxPendingRequests': (number);
}
