// Original file: proto/novaedge.proto

import type { HeaderValue as _novaedge_v1_HeaderValue, HeaderValueDecoded as _novaedge_v1_HeaderValueDecoded } from '../../novaedge/v1/HeaderValue.ts';

export interface HeaderChanges {
  'set'?: (_novaedge_v1_HeaderValue)[];
  'add'?: (_novaedge_v1_HeaderValue)[];
  'remove'?: (string)[];
}

export interface HeaderChangesDecoded {
  'set': (_novaedge_v1_HeaderValueDecoded)[];
  'add': (_novaedge_v1_HeaderValueDecoded)[];
  'remove': (string)[];
}
