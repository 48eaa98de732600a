import type { ResponseReason } from '../../model/response-reason.ts';
import type { Http2Fault } from '../../wire/h2/http2-fault.ts';
import type { Fault } from '../../wire/http1/fault.ts';
import type { Context } from '../context.ts';
import type { ServedListener } from '../served-listener.ts';
import type { ServedRule } from '../served-rule.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { Downstream } from './downstream.ts';

/** What is counted and logged of one exchange. */
export class ExchangeRecord {
  startedAt = 0;
  /** When the request went to the backend that answered. */
  sentAt = 0;
  /** When the backend's answer began, or 0. */
  answeredAt = 0;
  status = 0;
  /** Of a call of gRPC that has ended; empty: it is none. */
  grpcStatus = '';
  reason: ResponseReason | '' = '';
  /** What exactly was wrong with a message of the client or the backend. */
  detail: Fault | Http2Fault | '' = '';
  method = '';
  host = '';
  path = '';
  bytesIn = 0;
  bytesOut = 0;
  /** How often it was sent to a backend, or tried to be. */
  attempts = 0;
  requestId = '';
  endpoint = '';
  /** Why the last connection that was tried in vain failed: the system's code, OpenSSL's, or a word of ours. */
  connectFailure = '';

  start(time: number, method: string): void {
    this.startedAt = time;
    this.method = method;
    this.answeredAt = 0;
    this.reason = '';
    this.detail = '';
    this.host = '';
    this.path = '';
    this.bytesIn = 0;
    this.bytesOut = 0;
    this.attempts = 0;
    this.requestId = '';
    this.endpoint = '';
    this.connectFailure = '';
  }

  /** To a backend, which may answer or not. */
  sent({ endpoint, sentAt }: Upstream): void {
    this.endpoint = endpoint.id;
    this.sentAt = sentAt;
  }

  enter(context: Context, listener: ServedListener): void {
    listener.active += 1;
    listener.requests += 1;
    context.counters.values[listener.counters.activeConnections]! += 1;
  }

  finish(
    context: Context,
    listener: ServedListener | null,
    rule: ServedRule | null,
    { origin, protocol }: Pick<Downstream, 'origin' | 'protocol'>,
  ): void {
    if (listener !== null) {
      listener.active -= 1;
      context.counters.values[listener.counters.activeConnections]! -= 1;
      context.counters.observe(listener.counters.duration, context.time - this.startedAt);
      if (rule === null) listener.counters.unrouted.add(this.status);
      else rule.counters.add(this.status);
    }
    context.accessLog?.write({
      listener: listener?.name ?? '',
      route: rule?.route ?? '',
      protocol,
      method: this.method,
      host: this.host,
      path: this.path,
      status: this.status,
      grpcStatus: this.grpcStatus,
      reason: this.reason,
      detail: this.detail,
      bytesIn: this.bytesIn,
      bytesOut: this.bytesOut,
      durationMs: context.time - this.startedAt,
      attempts: this.attempts,
      upstream: this.endpoint,
      upstreamMs: this.answeredAt === 0 ? 0 : this.answeredAt - this.sentAt,
      connectFailure: this.connectFailure,
      requestId: this.requestId,
      client: origin.client,
      secured: origin.secured,
    });
    this.status = 0;
  }
}
