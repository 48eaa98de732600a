import type { Prng } from '../prng.ts';
import { ClientConnection } from './client-connection.ts';
import type { Ledger } from './ledger.ts';
import type { Network } from './network.ts';

/** How a client behaves; chances for each connection or request. */
export interface Manners {
  /** Several requests at once. */
  readonly pipeline: number;
  /** A body with the request. */
  readonly body: number;
  readonly mostBytes: number;
  /** The request in small pieces, with pauses. */
  readonly slowSender: number;
  /** Stops in the middle of a request for ever. */
  readonly stall: number;
  /** Goes in the middle of everything. */
  readonly abort: number;
  /** Reads a little at a time. */
  readonly slowReader: number;
  /** Reads nothing for a while. */
  readonly deaf: number;
  /** Ends its half after the last request. */
  readonly halfClose: number;
  /** The longest pause between two requests, in ms. */
  readonly thinkMs: number;
  /** A connection of HTTP/1.0. */
  readonly old: number;
  /** Asks whether the body is wanted before it sends it (RFC 9110 section 10.1.1). */
  readonly expect: number;
  /** The last request of a connection asks to upgrade it to one that echoes. */
  readonly upgrade: number;
  /** A path that is redirected. */
  readonly redirect: number;
}

export const POLITE: Manners = {
  pipeline: 0,
  body: 0,
  mostBytes: 0,
  slowSender: 0,
  stall: 0,
  abort: 0,
  slowReader: 0,
  deaf: 0,
  halfClose: 0,
  thinkMs: 20,
  old: 0,
  expect: 0,
  upgrade: 0,
  redirect: 0,
};

/** A host that a listener serves on a port. */
export interface Target {
  readonly port: number;
  readonly host: string;
}

export interface ClientOptions {
  readonly network: Network;
  readonly ledger: Ledger;
  readonly prng: Prng;
  /** Host it is on. */
  readonly name: string;
  /** Host that the proxy is on. */
  readonly proxy: string;
  readonly targets: () => readonly Target[];
  /** Another value whenever listeners change; null: they change now. */
  readonly listening: () => string | null;
  readonly clusters: readonly string[];
  /** That a connection may have; 0: any number. */
  readonly mostRequests: number;
  /** The longest that it can have to wait for any byte, in ms. */
  readonly patienceMs: number;
  readonly manners: Manners;
  readonly note: (text: string) => void;
}

/** Somebody who makes requests until told to stop, and checks every answer. */
export class Client {
  readonly options: ClientOptions;
  readonly connections = new Set<ClientConnection>();
  #stopped = false;

  constructor(options: ClientOptions) {
    this.options = options;
  }

  start(): void {
    const { network, prng } = this.options;
    network.clock.after(prng.between(0, 200), () => this.#again());
  }

  /** No new connections; what is under way is brought to its end. */
  stop(): void {
    this.#stopped = true;
    for (const connection of this.connections) connection.finish();
  }

  #again(): void {
    const { network, prng, targets } = this.options;
    if (this.#stopped) return;
    const open = targets();
    if (open.length > 0) this.connect(prng.pick(open), this.options.manners, 1 + prng.below(6));
    network.clock.after(prng.between(0, 20 * this.options.manners.thinkMs), () => this.#again());
  }

  connect(
    target: Target,
    manners: Manners,
    requests: number,
    cluster: string | null = null,
  ): ClientConnection {
    const connection = new ClientConnection(this.options, target, manners, requests, cluster, () =>
      this.connections.delete(connection),
    );
    this.connections.add(connection);
    return connection;
  }
}
