// Original file: proto/novaedge.proto


export interface ObjectFailure {
  'key'?: (string);
  'reason'?: (string);
  'message'?: (string);
  'event'?: (string);
}

export interface ObjectFailureDecoded {
  'key': (string);
  'reason': (string);
  'message': (string);
  'event': (string);
}
