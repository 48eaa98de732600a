// Original file: proto/novaedge.proto

import type { RouteMatch as _novaedge_v1_RouteMatch, RouteMatchDecoded as _novaedge_v1_RouteMatchDecoded } from '../../novaedge/v1/RouteMatch.ts';
import type { Filter as _novaedge_v1_Filter, FilterDecoded as _novaedge_v1_FilterDecoded } from '../../novaedge/v1/Filter.ts';
import type { WeightedCluster as _novaedge_v1_WeightedCluster, WeightedClusterDecoded as _novaedge_v1_WeightedClusterDecoded } from '../../novaedge/v1/WeightedCluster.ts';

export interface RouteRule {
  'matches'?: (_novaedge_v1_RouteMatch)[];
  'filters'?: (_novaedge_v1_Filter)[];
  'clusters'?: (_novaedge_v1_WeightedCluster)[];
  'requestTimeoutMs'?: (number);
  'backendTimeoutMs'?: (number);
}

export interface RouteRuleDecoded {
  'matches': (_novaedge_v1_RouteMatchDecoded)[];
  'filters': (_novaedge_v1_FilterDecoded)[];
  'clusters': (_novaedge_v1_WeightedClusterDecoded)[];
  'requestTimeoutMs': (number);
  'backendTimeoutMs': (number);
}
