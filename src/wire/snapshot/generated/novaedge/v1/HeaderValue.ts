// Original file: proto/novaedge.proto


export interface HeaderValue {
  'name'?: (string);
  'value'?: (string);
}

export interface HeaderValueDecoded {
  'name': (string);
  'value': (string);
}
