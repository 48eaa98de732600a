import type { Listener } from '../model/gateway.ts';
import type { Http2Fault } from '../wire/h2/http2-fault.ts';
import type { Counters } from './counters.ts';
import { LabelledCounters, StatusCounters } from './counters.ts';

/** Where a listener's counts are; they go on when it is bound anew. */
export class ListenerCounters {
  readonly unrouted: StatusCounters;
  readonly announcementFaults: LabelledCounters;
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
    this.http2Faults = new LabelledCounters(counters, 'http2_faults', labels);
    this.openConnections = counters.counter('open_connections', labels);
    this.connections = counters.counter('connection_count', labels);
    this.activeConnections = counters.counter('active_connections', labels);
    this.connectionsCut = counters.counter('connections_cut', labels);
    this.duration = counters.histogram('request_duration', labels);
  }
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

  constructor(counters: ListenerCounters, config: Listener) {
    this.name = config.name;
    this.config = config;
    this.counters = counters;
  }
}
