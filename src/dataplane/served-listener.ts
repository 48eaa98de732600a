import type { Listener } from '../model/gateway.ts';
import type { Counters } from './counters.ts';
import { StatusCounters } from './counters.ts';

/** What a worker counts and knows of one listener. */
export class ServedListener {
  readonly name: string;
  config: Listener;
  /** Requests in flight. */
  active = 0;
  isDraining = false;
  readonly unrouted: StatusCounters;
  readonly openConnections: number;
  readonly connections: number;
  readonly activeConnections: number;
  readonly duration: number;
  requests = 0;

  constructor(counters: Counters, config: Listener) {
    this.name = config.name;
    this.config = config;
    const labels = { listener: config.name };
    this.unrouted = new StatusCounters(counters, 'request_count', { ...labels, route: '' });
    this.openConnections = counters.counter('open_connections', labels);
    this.connections = counters.counter('connection_count', labels);
    this.activeConnections = counters.counter('active_connections', labels);
    this.duration = counters.histogram('request_duration', labels);
  }
}
