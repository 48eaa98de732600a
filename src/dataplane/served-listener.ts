import type { Listener } from '../model/gateway.ts';
import type { Http2Fault } from '../wire/h2/http2-fault.ts';
import type { Counters } from './counters.ts';
import { LabelledCounters, StatusCounters } from './counters.ts';
import type { HandshakeFailure } from './tls/handshake-failure.ts';
import { ListenerTermination } from './tls/listener-termination.ts';
import type { Secured } from './tls/secured.ts';
import type { TlsMaterial } from './tls/tls-material.ts';

/** Where a listener's counts are; they go on when it is bound anew. */
export class ListenerCounters {
  readonly unrouted: StatusCounters;
  readonly announcementFaults: LabelledCounters;
  readonly handshakeFailures: LabelledCounters<HandshakeFailure>;
  readonly http2Faults: LabelledCounters<Http2Fault>;
  readonly openConnections: number;
  readonly connections: number;
  readonly activeConnections: number;
  readonly connectionsCut: number;
  readonly duration: number;

  constructor(counters: Counters, listener: string) {
    const labels = { listener };
    this.unrouted = new StatusCounters(counters, 'request_count', { ...labels, route: '' });
    this.announcementFaults = new LabelledCounters(counters, 'proxy_protocol_faults', labels);
    this.handshakeFailures = new LabelledCounters(counters, 'tls_handshake_failures', labels);
    this.http2Faults = new LabelledCounters(counters, 'http2_faults', labels);
    this.openConnections = counters.counter('open_connections', labels);
    this.connections = counters.counter('connection_count', labels);
    this.activeConnections = counters.counter('active_connections', labels);
    this.connectionsCut = counters.counter('connections_cut', labels);
    this.duration = counters.histogram('request_duration', labels);
  }
}

/**
 * Why requests for hosts of this listener are not served on a connection: the listener is gone for now, or TLS was
 * agreed on for another one, under whose settings nobody may ask for this one's (RFC 9110 section 15.5.20).
 */
export function refusalOf(
  listener: ServedListener | undefined,
  secured: Secured | null,
): 'draining' | 'misdirected_request' | null {
  if (listener === undefined) return null;
  if (listener.isGone) return 'draining';
  return secured === null || secured.listener === listener.name ? null : 'misdirected_request';
}

/** What a worker counts and knows of one listener on one port. */
export class ServedListener {
  readonly name: string;
  config: Listener;
  /** Requests in flight. */
  active = 0;
  isDraining = false;
  /** Closed, but not by the configuration: its hosts are somebody's still, and are told to come again. */
  isGone = false;
  readonly counters: ListenerCounters;
  requests = 0;
  readonly #material: TlsMaterial;
  #termination: ListenerTermination | null = null;

  constructor(counters: ListenerCounters, config: Listener, material: TlsMaterial) {
    this.name = config.name;
    this.config = config;
    this.counters = counters;
    this.#material = material;
  }

  /** How it ends TLS under its settings in use; null: it does not. */
  get termination(): ListenerTermination | null {
    const { tls, http } = this.config;
    if (tls === null) return null;
    if (this.#termination?.tls !== tls || this.#termination.http2 !== http.http2.enabled) {
      const { certificates, tickets } = this.#material;
      this.#termination = new ListenerTermination(this.name, tls, http.http2.enabled, certificates, tickets);
    }
    return this.#termination;
  }
}
