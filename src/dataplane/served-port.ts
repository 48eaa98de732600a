import type { Listener } from '../model/gateway.ts';
import { CLIENT_ADDRESS_DEFAULTS } from '../model/http-settings.ts';
import type { ListenSocket } from '../os/listen-socket.ts';
import type { SocketStream } from '../os/socket-stream.ts';
import { Announcement } from './client-address/announcement.ts';
import { ClientAddressing } from './client-address/client-addressing.ts';
import type { Context } from './context.ts';
import type { AcceptedConnection, PortConnection } from './port-connection.ts';
import { PortRouter } from './router/port-router.ts';
import type { ServedListener } from './served-listener.ts';
import type { ServedRule } from './served-rule.ts';
import type { TimerOwner } from './timer-wheel.ts';
import { Timer } from './timer-wheel.ts';

export interface PortHooks {
  accept(port: ServedPort, stream: SocketStream): AcceptedConnection;
  /** A listener that drains has nothing left to do. */
  drained(port: ServedPort, listener: string): void;
  /** A port that no listener has any more has nothing left to do, or has drained for as long as it may. */
  emptied(port: ServedPort): void;
}

/** What all listeners of a port have the same. */
export type PortSettings = Pick<Listener, 'http' | 'clientAddress' | 'protocol'>;

/** One port of this worker: a socket, what is routed on it, and the connections that came through it. */
export class ServedPort implements TimerOwner {
  port: number;
  /** Of its listeners as they are in use; read anew for each request. */
  settings: PortSettings;
  readonly router = new PortRouter<ServedListener, ServedRule>();
  readonly connections = new Set<PortConnection>();
  /** Listeners that have it bound; the first one counts connections, which belong to the port as a whole. */
  readonly listeners = new Map<string, ServedListener>();
  socket: ListenSocket | null = null;
  /** Its socket is being closed: it takes no more listeners. */
  isClosing = false;
  /** Since when, by the monotonic clock in ms; not finite: it is not. */
  closingSince = Number.POSITIVE_INFINITY;
  /** Its socket has been closed: connections end with their request in flight, or after a moment without one. */
  isDraining = false;
  /** Listeners that wait for it to be bound. */
  claims = 0;
  readonly #context: Context;
  readonly #hooks: PortHooks;
  readonly #timer = new Timer(this);
  readonly #notice = new Timer(this);
  #counted: ServedListener | null = null;
  #addressing: ClientAddressing | null = null;
  #addressingOf: PortSettings['clientAddress'] = CLIENT_ADDRESS_DEFAULTS;

  constructor(context: Context, hooks: PortHooks, port: number, settings: PortSettings) {
    this.#context = context;
    this.#hooks = hooks;
    this.port = port;
    this.settings = settings;
  }

  /** TLS is spoken on it; all its listeners do. */
  get isSecure(): boolean {
    return this.settings.protocol === 'HTTPS';
  }

  get firstListener(): ServedListener | null {
    return this.#counted;
  }

  /** Of the settings in use; null where they ask for nothing, and nothing is looked at. */
  get addressing(): ClientAddressing | null {
    const settings = this.settings.clientAddress;
    if (settings !== this.#addressingOf) {
      this.#addressing = ClientAddressing.of(settings);
      this.#addressingOf = settings;
    }
    return this.#addressing;
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
      this.#context.counters.values[counted.counters.connections]! += 1;
      this.#context.counters.values[counted.counters.openConnections]! += 1;
    }
    if (this.addressing?.announces(stream.remoteAddress) === true) this.#hear(connection, stream);
    if (this.isDraining) connection.drain();
  }

  #hear(connection: AcceptedConnection, stream: SocketStream): void {
    const { headerMs } = this.settings.http.timeouts;
    const counted = this.#counted;
    new Announcement(this.#context, stream, connection, headerMs, (fault) =>
      counted?.counters.announcementFaults.add(fault),
    );
  }

  /** The same connection, in which something else is spoken from now on. */
  becomes(before: PortConnection, after: PortConnection): void {
    if (this.connections.delete(before)) this.connections.add(after);
    if (this.isDraining) after.drain();
  }

  /** Whose settings are for clients that ask for this name by SNI; empty: for none. Null where nobody's are. */
  listenerFor(serverName: string): ServedListener | null {
    const chain = this.router.chain(serverName);
    if (chain !== null) return chain.listener;
    return serverName === '' ? this.#counted : null;
  }

  closed(connection: PortConnection): void {
    if (!this.connections.delete(connection)) return;
    const counted = this.#counted;
    if (counted !== null) this.#context.counters.values[counted.counters.openConnections]! -= 1;
    if (this.isClosing) this.settle();
  }

  countCut(connection: PortConnection): void {
    const counted = this.#counted;
    if (counted !== null && connection.isBusy)
      this.#context.counters.values[counted.counters.connectionsCut]! += 1;
  }

  /** After each step of a drain: tells who is done by it. */
  settle(): void {
    for (const listener of [...this.listeners.values()]) if (listener.isDraining) this.checkDrained(listener);
    if (this.listeners.size === 0 && this.connections.size === 0 && this.socket === null)
      this.#hooks.emptied(this);
  }

  limitDrain(milliseconds: number): void {
    this.#context.wheel.set(this.#timer, milliseconds);
  }

  stopTimers(): void {
    this.#context.wheel.remove(this.#timer);
    this.#context.wheel.remove(this.#notice);
  }

  /** After a moment its connections are told to go. */
  announceDrain(milliseconds: number): void {
    if (milliseconds === 0 || this.connections.size === 0) this.#announce();
    else this.#context.wheel.set(this.#notice, milliseconds);
  }

  #announce(): void {
    this.isDraining = true;
    for (const connection of this.connections) connection.drain();
    this.settle();
  }

  onTimer(timer: Timer): void {
    if (timer === this.#notice) this.#announce();
    else this.#hooks.emptied(this);
  }

  onFault(error: unknown): void {
    this.#context.faults.report(error);
  }

  checkDrained(listener: ServedListener): void {
    if (this.isClosing ? this.connections.size > 0 || this.socket !== null : listener.active > 0) return;
    this.#hooks.drained(this, listener.name);
  }
}
