import { GRPC_STATUS } from '../../model/grpc-status.ts';
import type { ResponseReason } from '../../model/response-reason.ts';
import { RESPONSE_REASONS } from '../../model/response-reason.ts';

/**
 * What a client makes of an answer without `grpc-status` (gRPC, http-grpc-status-mapping.md), and 408, which some proxy
 * says of a request that came too slowly.
 */
export function grpcStatusOfHttp(status: number): number {
  switch (status) {
    case 400:
      return GRPC_STATUS.INTERNAL;
    case 401:
      return GRPC_STATUS.UNAUTHENTICATED;
    case 403:
      return GRPC_STATUS.PERMISSION_DENIED;
    case 404:
      return GRPC_STATUS.UNIMPLEMENTED;
    case 408:
    case 429:
    case 502:
    case 503:
    case 504:
      return GRPC_STATUS.UNAVAILABLE;
    default:
      return GRPC_STATUS.UNKNOWN;
  }
}

/** Where the reason says more than its HTTP status does. */
const BY_REASON: Partial<Record<ResponseReason, number>> = {
  // Another try is no better: the message is too large, or the load is.
  request_line_too_long: GRPC_STATUS.RESOURCE_EXHAUSTED,
  headers_too_large: GRPC_STATUS.RESOURCE_EXHAUSTED,
  body_too_large: GRPC_STATUS.RESOURCE_EXHAUSTED,
  connection_limit: GRPC_STATUS.RESOURCE_EXHAUSTED,
  pending_limit: GRPC_STATUS.RESOURCE_EXHAUSTED,
  // A method of HTTP other than POST is no method of the service.
  method_not_allowed: GRPC_STATUS.UNIMPLEMENTED,
  // Another connection may well lead to the right place.
  misdirected_request: GRPC_STATUS.UNAVAILABLE,
  cluster_not_found: GRPC_STATUS.UNAVAILABLE,
  internal_error: GRPC_STATUS.INTERNAL,
  deadline_exceeded: GRPC_STATUS.DEADLINE_EXCEEDED,
  client_reset: GRPC_STATUS.CANCELLED,
  client_stalled: GRPC_STATUS.CANCELLED,
};

/** `status` where it is not the reason's own (a redirect's). */
export function grpcStatusOfReason(
  reason: ResponseReason,
  status: number = RESPONSE_REASONS[reason],
): number {
  return BY_REASON[reason] ?? grpcStatusOfHttp(status);
}
