// Original file: proto/novaedge.proto


export interface ClientTimeouts {
  'headerMs'?: (number);
  'bodyIdleMs'?: (number);
  'requestMs'?: (number);
  'idleMs'?: (number);
  'writeMs'?: (number);
  'tunnelIdleMs'?: (number);
}

export interface ClientTimeoutsDecoded {
  'headerMs': (number);
  'bodyIdleMs': (number);
  'requestMs': (number);
  'idleMs': (number);
  'writeMs': (number);
  'tunnelIdleMs': (number);
}
