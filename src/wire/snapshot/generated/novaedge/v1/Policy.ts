// Original file: proto/novaedge.proto

import type { Filter as _novaedge_v1_Filter, FilterDecoded as _novaedge_v1_FilterDecoded } from '../../novaedge/v1/Filter.ts';

export interface Policy {
  'name'?: (string);
  'targetKind'?: (string);
  'targetName'?: (string);
  'createdAt'?: (number | string);
  'filters'?: (_novaedge_v1_Filter)[];
}

export interface PolicyDecoded {
  'name': (string);
  'targetKind': (string);
  'targetName': (string);
  'createdAt': (number);
  'filters': (_novaedge_v1_FilterDecoded)[];
}
