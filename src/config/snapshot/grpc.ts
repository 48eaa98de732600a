import { GRPC_STATUS_NAMES } from '../../model/grpc-status.ts';
import type { PathMatch } from '../../model/route.ts';
import type { RouteMatchSpec } from '../crds/proxy-route.ts';

/** Number of a status that was given by number or name; -1 where there is none. */
export function grpcStatusNumber(status: number | string): number {
  if (typeof status === 'string') return (GRPC_STATUS_NAMES as readonly string[]).indexOf(status);
  return Number.isInteger(status) && status >= 0 && status < GRPC_STATUS_NAMES.length ? status : -1;
}

const SEGMENT = '[^/]+';

/** The path of a gRPC request is `/service/method` (gRPC over HTTP/2, Requests). */
export function grpcPath({ type, service, method }: NonNullable<RouteMatchSpec['grpc']>): PathMatch {
  if (type === 'RegularExpression') {
    const part = (expression: string | undefined) =>
      expression === undefined ? SEGMENT : `(?:${expression})`;
    return { type: 'RegularExpression', value: `/${part(service)}/${part(method)}` };
  }
  if (service === undefined) return { type: 'RegularExpression', value: `/${SEGMENT}/${method ?? SEGMENT}` };
  if (method === undefined) return { type: 'PathPrefix', value: `/${service}` };
  return { type: 'Exact', value: `/${service}/${method}` };
}
