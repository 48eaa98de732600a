// Original file: proto/novaedge.proto


export interface WeightedCluster {
  'cluster'?: (string);
  'weight'?: (number);
}

export interface WeightedClusterDecoded {
  'cluster': (string);
  'weight': (number);
}
