// Original file: proto/novaedge.proto

import type { ConfigSnapshot as _novaedge_v1_ConfigSnapshot, ConfigSnapshotDecoded as _novaedge_v1_ConfigSnapshotDecoded } from '../../novaedge/v1/ConfigSnapshot.ts';
import type { Long } from '@grpc/proto-loader';

export interface SnapshotUpdate {
  'nonce'?: (number | string | Long);
  'baseVersion'?: (string);
  'version'?: (string);
  'upserts'?: (_novaedge_v1_ConfigSnapshot | null);
  'removals'?: (string)[];
  'lastPart'?: (boolean);
}

export interface SnapshotUpdateDecoded {
  'nonce': (number);
  'baseVersion': (string);
  'version': (string);
  'upserts': (_novaedge_v1_ConfigSnapshotDecoded | null);
  'removals': (string)[];
  'lastPart': (boolean);
}
