import type { Listener } from '../model/gateway.ts';
import type { ListenerReport } from '../model/report.ts';
import { ListenSocket } from '../os/listen-socket.ts';
import type { SocketStream } from '../os/socket-stream.ts';
import type { Context } from './context.ts';
import type { DataplaneOptions } from './control.ts';
import type { AcceptedConnection } from './port-connection.ts';
import type { FrozenRoutes, RoutingTables } from './routing-tables.ts';
import { ListenerCounters, ServedListener } from './served-listener.ts';
import type { PortHooks } from './served-port.ts';
import { ServedPort } from './served-port.ts';

interface Binding {
  readonly served: ServedListener;
  readonly port: ServedPort;
  /** Port of the configuration it was bound for; 0 is any. */
  readonly asked: number;
  state: 'bound' | 'listening' | 'draining' | 'drained';
}

/**
 * Listeners and their ports. A port is bound by the first listener that wants it and closed with the last; requests
 * see a listener when it is committed, connections are taken when one listener of the port is active.
 *
 * A listener that moves has two bindings for a while: `candidate` until the commit, then the old one is left, and
 * what came through it is served by the routes it had until it has drained.
 *
 *     bind ──> candidate ──commit──> current ──moved──> left ──drained or out of time──> closed
 *                  └──discard──> closed        └──drain──> draining ──> closed
 */
export class ListenerSet implements PortHooks {
  readonly #context: Context;
  readonly #tables: RoutingTables;
  readonly #options: DataplaneOptions;
  readonly #accept: (port: ServedPort, stream: SocketStream) => AcceptedConnection;
  readonly #ports = new Map<number, ServedPort>();
  readonly #listeners = new Map<string, Binding>();
  readonly #candidates = new Map<string, Binding>();
  /** Ports that a listener has moved away from, with its name. */
  readonly #left = new Map<ServedPort, string>();
  readonly #frozen = new Map<ServedPort, FrozenRoutes[]>();
  readonly #opening = new Map<ServedPort, Promise<void>>();
  /** Committed, bound or not. */
  readonly #committed = new Map<string, Listener>();
  readonly #counters = new Map<string, ListenerCounters>();
  /** Listeners that were closed though they are wished, on ports that others have still. */
  readonly #gone = new Map<string, ServedPort>();
  /** By listener: the bind that was asked for last, while it is under way. */
  readonly #binding = new Map<string, object>();
  /** Another object after each commit and discard: what was asked for before is not wanted any more. */
  #preparation = {};

  constructor(
    context: Context,
    tables: RoutingTables,
    options: DataplaneOptions,
    accept: (port: ServedPort, stream: SocketStream) => AcceptedConnection,
  ) {
    this.#context = context;
    this.#tables = tables;
    this.#options = options;
    this.#accept = accept;
  }

  async bind(config: Listener): Promise<void> {
    const { name } = config;
    const preparation = this.#preparation;
    if (this.#serves(name, config.port)) return;
    const port = this.#join(config);
    const binding = {};
    this.#binding.set(name, binding);
    port.claims += 1;
    try {
      await this.#opening.get(port);
    } catch (error) {
      this.#forgetPort(port);
      throw error;
    } finally {
      port.claims -= 1;
    }
    // Closed meanwhile: what its actor asks for next must not find this port under its name.
    if (this.#binding.get(name) !== binding) {
      this.#closeUnused(port);
      throw Object.assign(new Error('the listener was closed meanwhile'), { code: 'ECANCELED' });
    }
    this.#binding.delete(name);
    if (preparation !== this.#preparation && this.#committed.get(name)?.port !== config.port) {
      this.#closeUnused(port);
      const draining = this.#listeners.get(name);
      if (draining?.state === 'draining' || draining?.state === 'drained') {
        // Its actor wished it again and has gone with the preparation.
        this.#listeners.delete(name);
        this.#leave(draining);
      }
      throw Object.assign(new Error('the preparation was dropped'), { code: 'ECANCELED' });
    }
    const served = new ServedListener(this.#countersOf(name), config, this.#context.tls);
    const bound: Binding = { served, port, asked: config.port, state: 'bound' };
    port.bind(served);
    const before = this.#listeners.get(name);
    if (before !== undefined && before.state !== 'draining' && before.state !== 'drained') {
      this.#dropCandidate(name);
      this.#candidates.set(name, bound);
      return;
    }
    if (before !== undefined) this.#leave(before);
    this.#listeners.set(name, bound);
    this.#gone.delete(name);
    const committed = this.#committed.get(name);
    if (committed !== undefined) this.#tables.putListener(committed, served, port);
  }

  activate(name: string): void {
    const listener = this.#listeners.get(name);
    if (listener === undefined) return;
    listener.state = 'listening';
    listener.port.socket?.activate();
  }

  put(config: Listener): void {
    const { name } = config;
    this.#committed.set(name, config);
    const candidate = this.#candidates.get(name);
    if (candidate?.asked === config.port) {
      this.#candidates.delete(name);
      this.#freeze(name);
      const before = this.#listeners.get(name);
      this.#listeners.set(name, candidate);
      if (before !== undefined) this.#leave(before);
    }
    const listener = this.#listeners.get(name);
    if (listener === undefined || listener.state === 'draining' || listener.state === 'drained') return;
    listener.served.config = config;
    listener.port.settings = config;
    this.#tables.putListener(config, listener.served, listener.port);
  }

  /** What it served it still serves to the connections that it has, until it has drained. */
  remove(name: string): void {
    this.#committed.delete(name);
    this.#gone.delete(name);
    this.#freeze(name);
  }

  /** After a commit: sockets that were bound for listeners which were then refused are closed. */
  settle(): void {
    this.discard();
    // Where the port stays, its connections stay too, and see what is in use now.
    for (const port of this.#frozen.keys()) {
      for (const name of port.listeners.keys()) if (this.#committed.has(name)) this.#thaw(port);
    }
  }

  discard(): void {
    this.#preparation = {};
    for (const name of [...this.#candidates.keys()]) this.#dropCandidate(name);
    for (const [name, { state }] of this.#listeners) {
      if (state === 'bound' && !this.#committed.has(name)) this.close(name);
    }
  }

  drain(name: string): void {
    const listener = this.#listeners.get(name);
    if (listener === undefined || listener.state === 'draining') return;
    this.#dropCandidate(name);
    listener.state = 'draining';
    listener.served.isDraining = true;
    const { port } = listener;
    if ([...port.listeners.values()].some((other) => !other.isDraining)) port.checkDrained(listener.served);
    else {
      // Still wished: then all of the process stops, and there is nowhere to come again.
      const stops = this.#committed.has(name);
      this.#drainPort(port, stops ? 0 : this.#context.timeouts.drainNotice);
    }
  }

  /** Returns how many connections were cut. */
  close(name: string): number {
    this.#binding.delete(name);
    this.#dropCandidate(name);
    const listener = this.#listeners.get(name);
    if (listener === undefined) return 0;
    let cut = 0;
    if (listener.state === 'draining' || listener.state === 'drained')
      for (const [port, owner] of this.#left) if (owner === name) cut += this.#closePort(port);
    this.#listeners.delete(name);
    const { port } = listener;
    port.listeners.delete(name);
    if (port.listeners.size > 0 && this.#committed.has(name)) {
      listener.served.isGone = true;
      listener.served.isDraining = false;
      this.#gone.set(name, port);
      return cut;
    }
    this.#tables.removeListener(name);
    return port.listeners.size > 0 ? cut : cut + this.#closePort(port);
  }

  drained(_port: ServedPort, name: string): void {
    const known = this.#listeners.get(name);
    if (known === undefined || known.state !== 'draining') return;
    // What it left before it was asked to go is part of it.
    for (const listener of this.#left.values()) if (listener === name) return;
    known.state = 'drained';
    this.#context.notify({ type: 'listener.drained', listener: name });
  }

  emptied(port: ServedPort): void {
    const name = this.#left.get(port);
    this.#closePort(port);
    const listener = name === undefined ? undefined : this.#listeners.get(name);
    if (listener?.state === 'draining') listener.port.checkDrained(listener.served);
  }

  accept(port: ServedPort, stream: SocketStream): AcceptedConnection {
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

  /** The thread ends: whoever waits for an answer is told. */
  abort(): void {
    const ports = new Set([...[...this.#listeners.values()].map(({ port }) => port), ...this.#left.keys()]);
    for (const port of ports) for (const connection of [...port.connections]) connection.abort();
  }

  shutdown(): void {
    this.#preparation = {};
    this.#committed.clear();
    for (const name of [...this.#listeners.keys()]) this.close(name);
    for (const port of [...this.#left.keys()]) this.#closePort(port);
  }

  #serves(name: string, port: number): boolean {
    const binding = this.#candidates.get(name) ?? this.#listeners.get(name);
    if (binding === undefined || binding.asked !== port) return false;
    return binding.state === 'bound' || binding.state === 'listening';
  }

  /** The port as it is bound or being bound; one that drains is not joined but bound again beside it. */
  #join(config: Listener): ServedPort {
    const number = config.port;
    const known = number === 0 ? undefined : this.#ports.get(number);
    if (known !== undefined && !known.isClosing) return known;
    const port = new ServedPort(this.#context, this, number, config);
    const socket = new ListenSocket(
      this.#context.system,
      { port: number, address: this.#options.bind, reusePort: this.#options.reusePort },
      (stream) => port.accept(stream),
      (error) => this.#context.faults.report(error),
    );
    port.socket = socket;
    if (number !== 0) this.#ports.set(number, port);
    this.#opening.set(
      port,
      socket.open().then((bound) => {
        port.port = bound;
      }),
    );
    return port;
  }

  #countersOf(name: string): ListenerCounters {
    let counters = this.#counters.get(name);
    if (counters === undefined) {
      counters = new ListenerCounters(this.#context.counters, name);
      this.#counters.set(name, counters);
    }
    return counters;
  }

  #dropCandidate(name: string): void {
    const candidate = this.#candidates.get(name);
    if (candidate === undefined) return;
    this.#candidates.delete(name);
    candidate.port.listeners.delete(name);
    this.#closeUnused(candidate.port);
  }

  #closeUnused(port: ServedPort): void {
    if (port.listeners.size === 0 && port.claims === 0 && !port.isClosing) this.#closePort(port);
  }

  #freeze(name: string): void {
    const listener = this.#listeners.get(name);
    const frozen = this.#tables.freeze(name);
    if (frozen === null) return;
    if (listener === undefined) {
      frozen.release();
      return;
    }
    const known = this.#frozen.get(listener.port);
    if (known === undefined) this.#frozen.set(listener.port, [frozen]);
    else known.push(frozen);
  }

  #thaw(port: ServedPort): void {
    for (const frozen of this.#frozen.get(port) ?? []) frozen.release();
    this.#frozen.delete(port);
  }

  /** The listener is elsewhere now: the old port serves on what it has, and goes with its last listener. */
  #leave({ port, served }: Binding): void {
    served.isDraining = true;
    port.listeners.delete(served.name);
    const others = [...port.listeners.values()];
    if (others.some(({ isDraining }) => !isDraining)) return;
    // Where others drain here still, the port goes with the last of them, but takes nobody new from now on.
    if (others.length === 0) {
      this.#left.set(port, served.name);
      // It may have been closing for a while, under the deadline of an actor that is wished for elsewhere now.
      const begun = Math.max(0, this.#context.system.now() - port.closingSince);
      port.limitDrain(Math.max(0, this.#options.drainTimeoutMs - begun));
    }
    this.#drainPort(port, this.#context.timeouts.drainNotice);
  }

  #drainPort(port: ServedPort, notice: number): void {
    port.closingSince = Math.min(port.closingSince, this.#context.system.now());
    if (port.isClosing || port.socket === null) {
      port.isClosing = true;
      port.settle();
      return;
    }
    port.isClosing = true;
    // Its connections hear of it when the port is closed here and at the other workers: else they would come again,
    // and could get lost with the next socket.
    port.socket.drain(() => {
      port.socket = null;
      this.#forgetPort(port);
      port.announceDrain(notice);
    });
  }

  #forgetPort(port: ServedPort): void {
    this.#opening.delete(port);
    for (const [number, known] of this.#ports) if (known === port) this.#ports.delete(number);
  }

  #closePort(port: ServedPort): number {
    this.#left.delete(port);
    port.socket?.close();
    port.socket = null;
    port.stopTimers();
    this.#forgetPort(port);
    for (const [name, left] of this.#gone) {
      if (left !== port) continue;
      this.#gone.delete(name);
      this.#tables.removeListener(name);
    }
    const connections = [...port.connections];
    for (const connection of connections) {
      try {
        port.countCut(connection);
        connection.cutOff('draining');
      } catch (error) {
        connection.onFault(error);
      }
    }
    this.#thaw(port);
    return connections.length;
  }
}
