import type { Endpoint } from '../../model/endpoint.ts';
import { endpointId } from '../../model/endpoint.ts';
import type { TimedTarget } from '../balance/balancer.ts';
import type { Dial } from './dial.ts';
import type { Http2UpstreamConnection } from './http2-connection.ts';
import type { UpstreamConnection } from './upstream-connection.ts';

/** What a worker knows of one endpoint: the operator's wish, and its own memory. */
export class EndpointState implements TimedTarget {
  readonly id: string;
  config: Endpoint;
  ejected = false;
  /** No longer in the configuration: its connections go as they become idle. */
  removed = false;
  /** Last in, first out: the warmest connection is used, the others run into their idle timeout. */
  readonly idle: UpstreamConnection[] = [];
  readonly connections = new Set<UpstreamConnection>();
  /** Connections for many requests at once, and those that are being made and may become such. */
  readonly lines: Http2UpstreamConnection[] = [];
  readonly dials: Dial[] = [];
  /** Requests on lines, and those that wait for dials. */
  shared = 0;
  /** By ALPN it chose HTTP/1.1 last. */
  isHttp1 = false;
  /** It takes no extended CONNECT (RFC 8441). */
  lacksConnect = false;
  active = 0;
  latencyMs = -1;
  latencyAt = 0;
  requests = 0;
  failures = 0;
  /** Connections in a row that failed. */
  failuresInARow = 0;
  failing = false;
  lastFailure = '';
  /** Connections made ahead of time that ended without a request, one after the other. */
  warmFailures = 0;
  /** Until then none is made ahead of time; ms of the monotonic clock. */
  warmNotBefore = 0;

  constructor(config: Endpoint) {
    this.id = endpointId(config);
    this.config = config;
  }

  get weight(): number {
    return this.config.weight;
  }

  get ready(): boolean {
    return this.config.ready;
  }

  /** Every connection that is not idle works for a request, or is being made for one. */
  get load(): number {
    return this.connections.size - this.idle.length + this.shared;
  }

  /** Connections of any kind, those included that are being made. */
  get open(): number {
    return this.connections.size + this.lines.length + this.dials.length;
  }

  get usable(): boolean {
    return !this.ejected;
  }

  closeIdle(): void {
    for (const connection of [...this.idle]) connection.close();
    for (const line of [...this.lines]) if (line.active === 0) line.close();
  }

  /** It is spoken to in another way from now on: what there is finishes what it has. */
  forgetProtocol(): void {
    this.isHttp1 = false;
    this.lacksConnect = false;
    for (const connection of [...this.idle]) connection.close();
    for (const connection of this.connections) connection.isPersonal = true;
    for (const dial of this.dials) dial.isOutdated = true;
    for (const line of [...this.lines]) line.retire();
  }
}
