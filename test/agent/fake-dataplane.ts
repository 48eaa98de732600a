import type { Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import type { DataplaneControl, DataplaneOptions, Preparation } from '../../src/dataplane/control.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import type { Listener } from '../../src/model/gateway.ts';
import type { Resource } from '../../src/model/resource.ts';
import { resourceKey } from '../../src/model/resource.ts';
import type { ObjectFailure, SnapshotChanges } from '../../src/model/snapshot.ts';

interface Open {
  readonly port: number;
  readonly server: Server;
  readonly sockets: Set<Socket>;
  active: boolean;
  draining: boolean;
}

/**
 * A dataplane that listens for real and answers each request with what it knows. Some paths let it misbehave:
 * `/exit`, `/throw`, `/block` end or stop the thread; `/slow` never answers; `/fault` reports a contained exception.
 */
export class FakeDataplane implements DataplaneControl {
  readonly #options: DataplaneOptions;
  readonly #open = new Map<string, Open>();
  #inUse = new Map<string, Resource>();
  #prepared: { next: Map<string, Resource>; before: Map<string, Resource> } | null = null;
  /** Bound at another port for the open preparation. */
  readonly #moving = new Map<string, Open>();
  #requests = 0;
  readonly #pools = new Set<string>();

  constructor(options: DataplaneOptions) {
    this.#options = options;
    options.register({
      metric: 'request_count',
      labels: { listener: 'all', route: 'all', code: '200' },
      index: 0,
    });
  }

  prepare(changes: SnapshotChanges): Preparation {
    const before = this.#inUse;
    const next = changes.base === '' ? new Map<string, Resource>() : new Map(before);
    const failures: ObjectFailure[] = [];
    const listeners = { added: [] as Listener[], changed: [] as Listener[], removed: [] as string[] };
    const clusters = { added: [] as Cluster[], changed: [] as Cluster[], removed: [] as string[] };
    for (const resource of changes.upserts) {
      const key = resourceKey(resource);
      if (resource.kind === 'route' && resource.value.name.includes('poison'))
        throw new Error('choked on it');
      if (resource.kind === 'route' && resource.value.name.includes('bad')) {
        failures.push({ key, reason: 'InvalidRegularExpression', message: 'it is bad' });
        continue;
      }
      next.set(key, resource);
      if (resource.kind !== 'listener' && resource.kind !== 'cluster') continue;
      const old = before.get(key);
      const list = old === undefined ? 'added' : isDeepStrictEqual(old, resource) ? null : 'changed';
      if (list === null) continue;
      if (resource.kind === 'listener') listeners[list].push(resource.value);
      else clusters[list].push(resource.value);
    }
    for (const key of changes.removals) next.delete(key);
    for (const [key, resource] of before) {
      if (next.has(key)) continue;
      if (resource.kind === 'listener') listeners.removed.push(resource.value.name);
      if (resource.kind === 'cluster') clusters.removed.push(resource.value.name);
    }
    this.#prepared = { next, before };
    return { failures, listeners, clusters };
  }

  commit(rejected: readonly string[]): void {
    const { next, before } = this.#prepared!;
    for (const key of rejected) {
      const old = before.get(key);
      if (old === undefined) next.delete(key);
      else next.set(key, old);
    }
    this.#inUse = next;
    this.#prepared = null;
    for (const [name, open] of this.#moving) {
      const key = `listener/${name}`;
      if (rejected.includes(key)) continue;
      this.#open.get(name)!.server.close();
      this.#open.set(name, open);
      this.#moving.delete(name);
    }
    this.discard();
  }

  discard(): void {
    this.#prepared = null;
    for (const open of this.#moving.values()) open.server.close();
    this.#moving.clear();
  }

  bindListener(listener: Listener): Promise<void> {
    const before = this.#open.get(listener.name);
    if (before !== undefined && !before.draining && before.port === listener.port)
      throw new Error(`${listener.name} is bound already`);
    const sockets = new Set<Socket>();
    const server = createServer((socket) => this.#accept(open, socket, listener));
    const open: Open = { port: listener.port, server, sockets, active: false, draining: false };
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(
        { port: listener.port, host: this.#options.bind, reusePort: this.#options.reusePort },
        () => {
          // One that moves is opened beside; one that drains is replaced, and ends by itself.
          if (before === undefined || before.draining) this.#open.set(listener.name, open);
          else this.#moving.set(listener.name, open);
          resolve();
        },
      );
    });
  }

  activateListener(name: string): void {
    this.#listener(name).active = true;
  }

  drainListener(name: string): void {
    const open = this.#listener(name);
    open.draining = true;
    open.server.close();
    this.#drained(name, open);
  }

  closeListener(name: string): number {
    const open = this.#listener(name);
    const cut = open.sockets.size;
    for (const socket of open.sockets) socket.destroy();
    open.server.close();
    this.#open.delete(name);
    return cut;
  }

  openPool(cluster: Cluster, limitSlot: number): void {
    if (!Number.isInteger(limitSlot)) throw new Error('no slot');
    this.#pools.add(cluster.name);
  }

  drainPool(name: string): void {
    queueMicrotask(() => this.#options.notify({ type: 'pool.drained', cluster: name }));
  }

  closePool(name: string): number {
    this.#pools.delete(name);
    return 0;
  }

  ejectEndpoint(): void {}
  restoreEndpoint(): void {}
  abort(): void {}

  report(): ReturnType<DataplaneControl['report']> {
    return {
      listeners: [...this.#inUse.values()].flatMap((resource) =>
        resource.kind === 'listener'
          ? [
              {
                name: resource.value.name,
                port: resource.value.port,
                state: 'unknown',
                openConnections: this.#open.get(resource.value.name)?.sockets.size ?? 0,
                requests: this.#requests,
              },
            ]
          : [],
      ),
      clusters: [...this.#pools].map((name) => ({
        name,
        connections: 0,
        pendingRequests: 0,
        requests: 0,
        breaker: 'unknown',
      })),
      endpoints: [],
    };
  }

  #listener(name: string): Open {
    const open = this.#open.get(name);
    if (open === undefined) throw new Error(`listener ${name} is not bound`);
    return open;
  }

  #accept(open: Open, socket: Socket, listener: Listener): void {
    open.sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => {
      open.sockets.delete(socket);
      this.#drained(listener.name, open);
    });
    socket.on('data', (data) => {
      const path = data.toString('latin1').split(' ')[1];
      if (path === '/exit') process.exit(7);
      if (path === '/throw') throw new Error('asked to throw');
      if (path === '/block') for (;;);
      if (path === '/slow') return;
      if (path === '/fault')
        this.#options.notify({ type: 'fault', message: 'oops', stack: 'Error: oops\n    at here', count: 3 });
      this.#requests += 1;
      const values = new Float64Array(this.#options.counters);
      values[0] = (values[0] ?? 0) + 1;
      const body = JSON.stringify({
        worker: this.#options.worker,
        active: open.active,
        routes: [...this.#inUse.values()]
          .flatMap((resource) =>
            resource.kind === 'route' ? [`${resource.value.name}@${resource.value.createdAt}`] : [],
          )
          .sort(),
      });
      socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`);
    });
  }

  #drained(name: string, open: Open): void {
    if (open.draining && open.sockets.size === 0 && this.#open.get(name) === open)
      queueMicrotask(() => this.#options.notify({ type: 'listener.drained', listener: name }));
  }
}
