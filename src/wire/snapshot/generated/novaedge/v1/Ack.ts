// Original file: proto/novaedge.proto

import type { Long } from '@grpc/proto-loader';

export interface Ack {
  'nonce'?: (number | string | Long);
  'version'?: (string);
}

export interface AckDecoded {
  'nonce': (number);
  'version': (string);
}
