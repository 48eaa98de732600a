// Original file: proto/novaedge.proto


export interface ValueMatch {
  'type'?: (string);
  'name'?: (string);
  'value'?: (string);
}

export interface ValueMatchDecoded {
  'type': (string);
  'name': (string);
  'value': (string);
}
