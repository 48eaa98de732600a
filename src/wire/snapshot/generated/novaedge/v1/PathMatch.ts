// Original file: proto/novaedge.proto


export interface PathMatch {
  'type'?: (string);
  'value'?: (string);
}

export interface PathMatchDecoded {
  'type': (string);
  'value': (string);
}
