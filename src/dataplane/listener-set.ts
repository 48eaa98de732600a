import type { Listener } from '../model/gateway.ts';
import type { ListenerReport } from '../model/report.ts';
import { ListenSocket } from '../os/listen-socket.ts';
import type { SocketStream } from '../os/socket-stream.ts';
import type { ClientConnection } from './client/client-connection.ts';
import type { Context } from './context.ts';
import type { DataplaneOptions } from './control.ts';
import type { RoutingTables } from './routing-tables.ts';
import { ServedListener } from './served-listener.ts';
import type { PortHooks } from './served-port.ts';
import { ServedPort } from './served-port.ts';

/**
 * Listeners and their ports. A port is bound by the first listener that wants it and closed with the last; requests
 * see a listener when it is committed, connections are taken when one listener of the port is active.
 */
export class ListenerSet implements PortHooks {
  readonly #context: Context;
  readonly #tables: RoutingTables;
  readonly #options: DataplaneOptions;
  readonly #accept: (port: ServedPort, stream: SocketStream) => ClientConnection;
  readonly #ports = new Map<number, ServedPort>();
  readonly #listeners = new Map<string, { served: ServedListener; port: ServedPort; state: string }>();
  readonly #opening = new Map<ServedPort, Promise<void>>();
  /** Committed, bound or not. */
  readonly #committed = new Map<string, Listener>();

  constructor(
    context: Context,
    tables: RoutingTables,
    options: DataplaneOptions,
    accept: (port: ServedPort, stream: SocketStream) => ClientConnection,
  ) {
    this.#context = context;
    this.#tables = tables;
    this.#options = options;
    this.#accept = accept;
  }

  async bind(config: Listener): Promise<void> {
    const before = this.#listeners.get(config.name);
    if (before !== undefined && before.state !== 'draining' && before.served.config.port === config.port)
      return;
    let port = config.port === 0 ? undefined : this.#ports.get(config.port);
    if (port === undefined || port.isDraining) {
      port = new ServedPort(this.#context, this, config.port);
      const served = port;
      const socket = new ListenSocket(
        { port: config.port, address: this.#options.bind, reusePort: this.#options.reusePort },
        (stream) => served.accept(stream),
        (error) => this.#context.faults.report(error),
      );
      port.socket = socket;
      if (config.port !== 0) this.#ports.set(config.port, port);
      this.#opening.set(
        port,
        socket.open().then((number) => {
          served.port = number;
        }),
      );
    }
    const served = new ServedListener(this.#context.counters, config);
    const mine = port;
    try {
      await this.#opening.get(mine);
    } catch (error) {
      if (this.#ports.get(config.port) === mine) this.#ports.delete(config.port);
      throw error;
    }
    mine.bind(served);
    if (before !== undefined && before.port !== mine) this.#leave(before);
    this.#listeners.set(config.name, { served, port: mine, state: 'bound' });
    const committed = this.#committed.get(config.name);
    if (committed !== undefined) this.#tables.putListener(committed, served, mine);
  }

  activate(name: string): void {
    const listener = this.#listeners.get(name);
    if (listener === undefined) return;
    listener.state = 'listening';
    listener.port.socket?.activate();
  }

  put(config: Listener): void {
    this.#committed.set(config.name, config);
    const listener = this.#listeners.get(config.name);
    if (listener === undefined || listener.state === 'draining') return;
    listener.served.config = config;
    this.#tables.putListener(config, listener.served, listener.port);
  }

  remove(name: string): void {
    this.#committed.delete(name);
    // A listener that drains still answers what is in flight; what comes now finds nothing.
    this.#tables.removeListener(name);
  }

  /** After a commit: sockets that were bound for listeners which were then refused are closed. */
  settle(): void {
    this.discard();
  }

  discard(): void {
    for (const [name, { state }] of this.#listeners) {
      if (state === 'bound' && !this.#committed.has(name)) this.close(name);
    }
  }

  drain(name: string): void {
    const listener = this.#listeners.get(name);
    if (listener === undefined || listener.state === 'draining') return;
    listener.state = 'draining';
    listener.served.isDraining = true;
    const { port } = listener;
    if ([...port.listeners.values()].some((other) => !other.isDraining)) {
      port.checkDrained(listener.served);
      return;
    }
    port.isDraining = true;
    for (const connection of port.connections) connection.drain();
    const socket = port.socket;
    if (socket === null) return;
    socket.drain(() => {
      port.socket = null;
      if (this.#ports.get(port.port) === port) this.#ports.delete(port.port);
      for (const served of [...port.listeners.values()]) port.checkDrained(served);
    });
  }

  /** The listener has moved to another port: the old one serves on what it has, and goes with its last listener. */
  #leave(left: { served: ServedListener; port: ServedPort }): void {
    const { port, served } = left;
    served.isDraining = true;
    port.listeners.delete(served.name);
    if (port.listeners.size > 0) return;
    port.isDraining = true;
    for (const connection of port.connections) connection.drain();
    port.socket?.drain(() => {
      port.socket = null;
      if (this.#ports.get(port.port) === port) this.#ports.delete(port.port);
    });
  }

  close(name: string): number {
    const listener = this.#listeners.get(name);
    if (listener === undefined) return 0;
    this.#listeners.delete(name);
    const { port } = listener;
    port.listeners.delete(name);
    this.#tables.removeListener(name);
    if (port.listeners.size > 0) return 0;
    return this.#closePort(port);
  }

  drained(_port: ServedPort, listener: string): void {
    const known = this.#listeners.get(listener);
    if (known === undefined || known.state !== 'draining') return;
    known.state = 'drained';
    this.#context.notify({ type: 'listener.drained', listener });
  }

  accept(port: ServedPort, stream: SocketStream): ClientConnection {
    return this.#accept(port, stream);
  }

  portOf(name: string): number {
    return this.#listeners.get(name)?.port.port ?? 0;
  }

  report(): ListenerReport[] {
    return [...this.#listeners.values()].map(({ served, port, state }) => ({
      name: served.name,
      port: port.port,
      state,
      openConnections: port.connections.size,
      requests: served.requests,
    }));
  }

  shutdown(): void {
    for (const name of [...this.#listeners.keys()]) this.close(name);
  }

  #closePort(port: ServedPort): number {
    port.socket?.close();
    port.socket = null;
    if (this.#ports.get(port.port) === port) this.#ports.delete(port.port);
    const connections = [...port.connections];
    for (const connection of connections) connection.exchange.abort('draining');
    return connections.length;
  }
}
