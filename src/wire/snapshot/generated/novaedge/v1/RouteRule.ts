// Original file: proto/novaedge.proto

import type { RouteMatch as _novaedge_v1_RouteMatch, RouteMatchDecoded as _novaedge_v1_RouteMatchDecoded } from '../../novaedge/v1/RouteMatch.ts';
import type { Filter as _novaedge_v1_Filter, FilterDecoded as _novaedge_v1_FilterDecoded } from '../../novaedge/v1/Filter.ts';
import type { WeightedCluster as _novaedge_v1_WeightedCluster, WeightedClusterDecoded as _novaedge_v1_WeightedClusterDecoded } from '../../novaedge/v1/WeightedCluster.ts';
import type { RetryPolicy as _novaedge_v1_RetryPolicy, RetryPolicyDecoded as _novaedge_v1_RetryPolicyDecoded } from '../../novaedge/v1/RetryPolicy.ts';
import type { Mirror as _novaedge_v1_Mirror, MirrorDecoded as _novaedge_v1_MirrorDecoded } from '../../novaedge/v1/Mirror.ts';

export interface RouteRule {
  'matches'?: (_novaedge_v1_RouteMatch)[];
  'filters'?: (_novaedge_v1_Filter)[];
  'clusters'?: (_novaedge_v1_WeightedCluster)[];
  'requestTimeoutMs'?: (number);
  'backendTimeoutMs'?: (number);
  'retry'?: (_novaedge_v1_RetryPolicy | null);
  'mirrors'?: (_novaedge_v1_Mirror)[];
  'bodyBytes'?: (number | string);
  'grpcWeb'?: (boolean);
}

export interface RouteRuleDecoded {
  'matches': (_novaedge_v1_RouteMatchDecoded)[];
  'filters': (_novaedge_v1_FilterDecoded)[];
  'clusters': (_novaedge_v1_WeightedClusterDecoded)[];
  'requestTimeoutMs': (number);
  'backendTimeoutMs': (number);
  'retry': (_novaedge_v1_RetryPolicyDecoded | null);
  'mirrors': (_novaedge_v1_MirrorDecoded)[];
  'bodyBytes': (number);
  'grpcWeb': (boolean);
}
