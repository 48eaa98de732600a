// Original file: proto/novaedge.proto


export interface VipAssignment {
  'name'?: (string);
  'address'?: (string);
  'mode'?: (string);
  'ports'?: (number)[];
  'minHealthyNodes'?: (number);
}

export interface VipAssignmentDecoded {
  'name': (string);
  'address': (string);
  'mode': (string);
  'ports': (number)[];
  'minHealthyNodes': (number);
}
