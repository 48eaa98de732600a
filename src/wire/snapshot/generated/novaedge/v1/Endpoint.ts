// Original file: proto/novaedge.proto


export interface Endpoint {
  'address'?: (string);
  'port'?: (number);
  'weight'?: (number);
  'ready'?: (boolean);
  'zone'?: (string);
  'nodeName'?: (string);
}

export interface EndpointDecoded {
  'address': (string);
  'port': (number);
  'weight': (number);
  'ready': (boolean);
  'zone': (string);
  'nodeName': (string);
}
