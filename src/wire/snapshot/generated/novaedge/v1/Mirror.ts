// Original file: proto/novaedge.proto


export interface Mirror {
  'cluster'?: (string);
  'share'?: (number | string);
}

export interface MirrorDecoded {
  'cluster': (string);
  'share': (number);
}
