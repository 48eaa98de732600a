import type { Context } from '../context.ts';
import type { EndpointState } from './endpoint-state.ts';

const FAILURES_BEFORE_NOTICE = 3;

/** This machine has run out of descriptors, memory or local ports: that says nothing about the endpoint. */
const OWN_SHORTAGES: ReadonlySet<string> = new Set([
  'EMFILE',
  'ENFILE',
  'ENOBUFS',
  'ENOMEM',
  'EADDRNOTAVAIL',
]);

/** Connections that come about and that don't, counted for each endpoint; its health is told when it changes. */
export class ConnectionFailures {
  readonly #context: Context;
  readonly #cluster: string;

  constructor(context: Context, cluster: string) {
    this.#context = context;
    this.#cluster = cluster;
  }

  connected(endpoint: EndpointState): void {
    endpoint.failuresInARow = 0;
    if (!endpoint.failing) return;
    endpoint.failing = false;
    this.#context.notify({ type: 'endpoint.recovered', cluster: this.#cluster, endpoint: endpoint.id });
  }

  /** `reason` is the system's code, or a word of ours. */
  failed(endpoint: EndpointState, reason: string): void {
    endpoint.failures += 1;
    if (!OWN_SHORTAGES.has(reason)) endpoint.failuresInARow += 1;
    endpoint.lastFailure = reason;
    if (endpoint.failuresInARow < FAILURES_BEFORE_NOTICE || endpoint.failing || endpoint.removed) return;
    endpoint.failing = true;
    this.#context.notify({
      type: 'endpoint.failing',
      cluster: this.#cluster,
      endpoint: endpoint.id,
      reason,
      failures: endpoint.failuresInARow,
    });
  }
}
