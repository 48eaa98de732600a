// Original file: proto/novaedge.proto


export interface ClusterTls {
  'serverName'?: (string);
  'subjectAltNames'?: (string)[];
  'ca'?: (string);
  'verify'?: (boolean);
  'certificate'?: (string);
  'minVersion'?: (string);
}

export interface ClusterTlsDecoded {
  'serverName': (string);
  'subjectAltNames': (string)[];
  'ca': (string);
  'verify': (boolean);
  'certificate': (string);
  'minVersion': (string);
}
