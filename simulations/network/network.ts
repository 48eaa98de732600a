import type { SteppingClock } from '../clock.ts';
import type { Prng } from '../prng.ts';
import type { LinkStyle } from './link.ts';
import { Link } from './link.ts';
import { Pipe } from './pipe.ts';
import { Side } from './side.ts';

const SYN_AGAIN_MS = 1_000;
const FIRST_EPHEMERAL_PORT = 32_768;

/** A socket that listens; several of a host can share a port. */
export interface ListeningSocket {
  /** The connection has come; false: the queue is full, and the SYN is sent again. */
  offer(side: Side): boolean;
  /** With others that do so too (SO_REUSEPORT). */
  readonly sharesPort: boolean;
}

export interface NetworkOptions {
  readonly clock: SteppingClock;
  readonly prng: Prng;
  readonly style: LinkStyle;
  /** The least and the most bytes that may be on their way, or wait unread, in one direction. */
  readonly windows: readonly [number, number];
}

/** Hosts by name, the links between them, and who listens where. */
export class Network {
  readonly clock: SteppingClock;
  readonly #prng: Prng;
  readonly #options: NetworkOptions;
  readonly #links = new Map<string, Link>();
  readonly #listening = new Map<string, ListeningSocket[]>();
  #nextPort = FIRST_EPHEMERAL_PORT;

  constructor(options: NetworkOptions) {
    this.#options = options;
    this.clock = options.clock;
    this.#prng = options.prng;
  }

  link(from: string, to: string): Link {
    const name = `${from}>${to}`;
    let link = this.#links.get(name);
    if (link === undefined) {
      link = new Link(this.clock, this.#prng.split(name), this.#options.style);
      this.#links.set(name, link);
    }
    return link;
  }

  healAll(): void {
    for (const link of this.#links.values()) link.heal();
  }

  /** Why the port cannot be bound; null: it can. */
  refusal(host: string, port: number, shares: boolean): 'EADDRINUSE' | null {
    const sockets = this.#listening.get(`${host}:${port}`) ?? [];
    return sockets.every(({ sharesPort }) => sharesPort && shares) ? null : 'EADDRINUSE';
  }

  /** A port of the host that nobody has. */
  freePort(): number {
    return this.#nextPort++;
  }

  listen(host: string, port: number, socket: ListeningSocket): void {
    const name = `${host}:${port}`;
    const sockets = this.#listening.get(name);
    if (sockets === undefined) this.#listening.set(name, [socket]);
    else sockets.push(socket);
  }

  unlisten(host: string, port: number, socket: ListeningSocket): void {
    const name = `${host}:${port}`;
    const left = (this.#listening.get(name) ?? []).filter((other) => other !== socket);
    if (left.length === 0) this.#listening.delete(name);
    else this.#listening.set(name, left);
  }

  listeners(host: string, port: number): number {
    return this.#listening.get(`${host}:${port}`)?.length ?? 0;
  }

  /** Begins to connect; the side's owner hears `onConnect`, or sees a failure. Nobody answers: it hears nothing. */
  connect(from: string, host: string, port: number): Side {
    const there = this.link(from, host);
    const back = this.link(host, from);
    const local = this.freePort();
    const [least, most] = this.#options.windows;
    const window = () => least + this.#prng.below(most - least + 1);
    const up = new Pipe(there, back, window());
    const down = new Pipe(back, there, window());
    const prng = this.#prng;
    const client = new Side({
      incoming: down,
      outgoing: up,
      peer: host,
      peerPort: port,
      localPort: local,
      prng,
    });
    const server = new Side({
      incoming: up,
      outgoing: down,
      peer: from,
      peerPort: local,
      localPort: port,
      prng,
    });
    const hash = prng.bits();
    const knock = () => {
      if (client.state === 'closed') return;
      const sockets = this.#listening.get(`${host}:${port}`);
      if (sockets === undefined) {
        back.deliver(back.arrival(0), () => client.fail('ECONNREFUSED'));
        return;
      }
      server.state = 'open';
      if (!sockets[hash % sockets.length]!.offer(server)) {
        this.clock.after(SYN_AGAIN_MS, () => there.deliver(there.arrival(0), knock));
        return;
      }
      back.deliver(back.arrival(0), () => {
        // Given up meanwhile: the kernel answers by a reset.
        if (client.state === 'closed') up.reset(false);
        else client.onConnect();
      });
    };
    there.deliver(there.arrival(0), knock);
    return client;
  }
}
