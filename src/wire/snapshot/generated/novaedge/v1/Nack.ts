// Original file: proto/novaedge.proto

import type { ObjectFailure as _novaedge_v1_ObjectFailure, ObjectFailureDecoded as _novaedge_v1_ObjectFailureDecoded } from '../../novaedge/v1/ObjectFailure.ts';
import type { Long } from '@grpc/proto-loader';

export interface Nack {
  'nonce'?: (number | string | Long);
  'version'?: (string);
  'failures'?: (_novaedge_v1_ObjectFailure)[];
  'refused'?: (boolean);
}

export interface NackDecoded {
  'nonce': (number);
  'version': (string);
  'failures': (_novaedge_v1_ObjectFailureDecoded)[];
  'refused': (boolean);
}
