// Original file: proto/novaedge.proto


export interface PathChange {
  'type'?: (string);
  'value'?: (string);
}

export interface PathChangeDecoded {
  'type': (string);
  'value': (string);
}
