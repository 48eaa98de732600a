// Original file: proto/novaedge.proto

import type { PathChange as _novaedge_v1_PathChange, PathChangeDecoded as _novaedge_v1_PathChangeDecoded } from '../../novaedge/v1/PathChange.ts';

export interface Rewrite {
  'hostname'?: (string);
  'path'?: (_novaedge_v1_PathChange | null);
}

export interface RewriteDecoded {
  'hostname': (string);
  'path': (_novaedge_v1_PathChangeDecoded | null);
}
