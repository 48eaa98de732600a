// Original file: proto/novaedge.proto


export interface RetryPolicy {
  'attempts'?: (number);
  'conditions'?: (string)[];
  'codes'?: (number)[];
  'methods'?: (string);
  'backoffMs'?: (number);
  'maxBackoffMs'?: (number);
  'grpcCodes'?: (number)[];
}

export interface RetryPolicyDecoded {
  'attempts': (number);
  'conditions': (string)[];
  'codes': (number)[];
  'methods': (string);
  'backoffMs': (number);
  'maxBackoffMs': (number);
  'grpcCodes': (number)[];
}
