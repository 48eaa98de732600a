// Original file: proto/novaedge.proto

import type { PathMatch as _novaedge_v1_PathMatch, PathMatchDecoded as _novaedge_v1_PathMatchDecoded } from '../../novaedge/v1/PathMatch.ts';
import type { ValueMatch as _novaedge_v1_ValueMatch, ValueMatchDecoded as _novaedge_v1_ValueMatchDecoded } from '../../novaedge/v1/ValueMatch.ts';

export interface RouteMatch {
  'path'?: (_novaedge_v1_PathMatch | null);
  'method'?: (string);
  'headers'?: (_novaedge_v1_ValueMatch)[];
  'queryParams'?: (_novaedge_v1_ValueMatch)[];
}

export interface RouteMatchDecoded {
  'path': (_novaedge_v1_PathMatchDecoded | null);
  'method': (string);
  'headers': (_novaedge_v1_ValueMatchDecoded)[];
  'queryParams': (_novaedge_v1_ValueMatchDecoded)[];
}
