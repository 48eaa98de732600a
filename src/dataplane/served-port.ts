import type { ListenSocket } from '../os/listen-socket.ts';
import type { SocketStream } from '../os/socket-stream.ts';
import type { ClientConnection } from './client/client-connection.ts';
import type { Context } from './context.ts';
import { PortRouter } from './router/port-router.ts';
import type { ServedListener } from './served-listener.ts';
import type { ServedRule } from './served-rule.ts';

export interface PortHooks {
  accept(port: ServedPort, stream: SocketStream): ClientConnection;
  /** A listener that drains has nothing left to do. */
  drained(port: ServedPort, listener: string): void;
}

/** One port of this worker: a socket, what is routed on it, and the connections that came through it. */
export class ServedPort {
  port: number;
  readonly router = new PortRouter<ServedListener, ServedRule>();
  readonly connections = new Set<ClientConnection>();
  /** Listeners that have it bound; the first one counts connections, which belong to the port as a whole. */
  readonly listeners = new Map<string, ServedListener>();
  socket: ListenSocket | null = null;
  isDraining = false;
  readonly #context: Context;
  readonly #hooks: PortHooks;
  #counted: ServedListener | null = null;

  constructor(context: Context, hooks: PortHooks, port: number) {
    this.#context = context;
    this.#hooks = hooks;
    this.port = port;
  }

  get firstListener(): ServedListener | null {
    return this.#counted;
  }

  bind(listener: ServedListener): void {
    this.listeners.set(listener.name, listener);
    this.#counted ??= listener;
  }

  accept(stream: SocketStream): void {
    const connection = this.#hooks.accept(this, stream);
    this.connections.add(connection);
    const counted = this.#counted;
    if (counted !== null) {
      this.#context.counters.values[counted.connections]! += 1;
      this.#context.counters.values[counted.openConnections]! += 1;
    }
    if (this.isDraining) connection.drain();
  }

  closed(connection: ClientConnection): void {
    if (!this.connections.delete(connection)) return;
    const counted = this.#counted;
    if (counted !== null) this.#context.counters.values[counted.openConnections]! -= 1;
    if (!this.isDraining) return;
    for (const listener of this.listeners.values()) if (listener.isDraining) this.checkDrained(listener);
  }

  checkDrained(listener: ServedListener): void {
    if (this.isDraining ? this.connections.size > 0 || this.socket !== null : listener.active > 0) return;
    this.#hooks.drained(this, listener.name);
  }
}
