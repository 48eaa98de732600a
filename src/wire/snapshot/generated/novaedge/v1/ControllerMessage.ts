// Original file: proto/novaedge.proto

import type { SnapshotUpdate as _novaedge_v1_SnapshotUpdate, SnapshotUpdateDecoded as _novaedge_v1_SnapshotUpdateDecoded } from '../../novaedge/v1/SnapshotUpdate.ts';
import type { ReportRequest as _novaedge_v1_ReportRequest, ReportRequestDecoded as _novaedge_v1_ReportRequestDecoded } from '../../novaedge/v1/ReportRequest.ts';

export interface ControllerMessage {
  'update'?: (_novaedge_v1_SnapshotUpdate | null);
  'reportRequest'?: (_novaedge_v1_ReportRequest | null);
  'message'?: "update"|"reportRequest";
}

export interface ControllerMessageDecoded {
  'update'?: (_novaedge_v1_SnapshotUpdateDecoded | null);
  'reportRequest'?: (_novaedge_v1_ReportRequestDecoded | null);
  'message'?: "update"|"reportRequest";
}
