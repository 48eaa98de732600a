// Original file: proto/novaedge.proto

import type { PathChange as _novaedge_v1_PathChange, PathChangeDecoded as _novaedge_v1_PathChangeDecoded } from '../../novaedge/v1/PathChange.ts';

export interface Redirect {
  'scheme'?: (string);
  'hostname'?: (string);
  'port'?: (number);
  'path'?: (_novaedge_v1_PathChange | null);
  'statusCode'?: (number);
}

export interface RedirectDecoded {
  'scheme': (string);
  'hostname': (string);
  'port': (number);
  'path': (_novaedge_v1_PathChangeDecoded | null);
  'statusCode': (number);
}
