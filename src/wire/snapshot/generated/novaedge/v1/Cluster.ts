// Original file: proto/novaedge.proto

import type { HashSource as _novaedge_v1_HashSource, HashSourceDecoded as _novaedge_v1_HashSourceDecoded } from '../../novaedge/v1/HashSource.ts';
import type { RetryBudget as _novaedge_v1_RetryBudget, RetryBudgetDecoded as _novaedge_v1_RetryBudgetDecoded } from '../../novaedge/v1/RetryBudget.ts';
import type { ClusterTls as _novaedge_v1_ClusterTls, ClusterTlsDecoded as _novaedge_v1_ClusterTlsDecoded } from '../../novaedge/v1/ClusterTls.ts';

export interface Cluster {
  'name'?: (string);
  'lbPolicy'?: (string);
  'connectTimeoutMs'?: (number);
  'idleTimeoutMs'?: (number);
  'maxConnections'?: (number);
  'maxPendingRequests'?: (number);
  'hash'?: (_novaedge_v1_HashSource | null);
  'pendingTimeoutMs'?: (number);
  'warmConnections'?: (number);
  'maxIdleConnections'?: (number);
  'maxRequestsPerConnection'?: (number);
  'retryBudget'?: (_novaedge_v1_RetryBudget | null);
  'proxyProtocol'?: (string);
  'protocol'?: (string);
  'tls'?: (_novaedge_v1_ClusterTls | null);
  'maxConcurrentStreams'?: (number);
}

export interface ClusterDecoded {
  'name': (string);
  'lbPolicy': (string);
  'connectTimeoutMs': (number);
  'idleTimeoutMs': (number);
  'maxConnections': (number);
  'maxPendingRequests': (number);
  'hash': (_novaedge_v1_HashSourceDecoded | null);
  'pendingTimeoutMs': (number);
  'warmConnections': (number);
  'maxIdleConnections': (number);
  'maxRequestsPerConnection': (number);
  'retryBudget': (_novaedge_v1_RetryBudgetDecoded | null);
  'proxyProtocol': (string);
  'protocol': (string);
  'tls': (_novaedge_v1_ClusterTlsDecoded | null);
  'maxConcurrentStreams': (number);
}
