// Original file: proto/novaedge.proto


export interface HashSource {
  'type'?: (string);
  'name'?: (string);
  'path'?: (string);
  'ttlSeconds'?: (number);
}

export interface HashSourceDecoded {
  'type': (string);
  'name': (string);
  'path': (string);
  'ttlSeconds': (number);
}
