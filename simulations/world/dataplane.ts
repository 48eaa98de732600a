import type { ActorNotification } from '../../src/agent/worker/notified-actor.ts';
import type { ConfigurationTarget } from '../../src/dataplane/configuration.ts';
import { Configuration } from '../../src/dataplane/configuration.ts';
import type { AtObject, DataplaneControl, Preparation } from '../../src/dataplane/control.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import type { Listener } from '../../src/model/gateway.ts';
import type { Resource, ResourceKey } from '../../src/model/resource.ts';
import { resourceKey } from '../../src/model/resource.ts';
import type { SnapshotChanges } from '../../src/model/snapshot.ts';
import type { Prng } from '../prng.ts';
import type { SimulatedPorts } from './ports.ts';

export interface SimulatedSocket {
  readonly port: number;
  active: boolean;
  draining: boolean;
}

export interface SimulatedDataplaneOptions {
  readonly worker: number;
  readonly prng: Prng;
  readonly ports: SimulatedPorts;
  readonly after: (ms: number, callback: () => void) => () => void;
  readonly notify: (notification: ActorNotification) => void;
  /** As this worker gets it: one that it alone cannot compile is another than the others get. */
  readonly seen: (resource: Resource) => Resource;
  /** Called where it prepares or commits an object, which may be the end of it: throws then. */
  readonly meet: (phase: 'prepare' | 'commit', resource: Resource) => void;
  /** Requests in flight take up to this long. */
  readonly drainMs: () => number;
}

const BIND_MS = 30;

/**
 * A worker's data plane without traffic: the production configuration (its compilation and its two phases) over
 * ports and pools that only exist by name.
 */
export class SimulatedDataplane implements DataplaneControl {
  readonly #options: SimulatedDataplaneOptions;
  readonly #configuration = new Configuration();
  readonly #inUse = new Map<ResourceKey, Resource>();
  readonly #sockets = new Map<string, SimulatedSocket>();
  /** Bound for a preparation, beside the one in use. */
  readonly #moving = new Map<string, SimulatedSocket>();
  readonly #pools = new Map<string, 'open' | 'draining'>();
  /** Another object after each commit and discard: what was asked for before is not wanted any more. */
  #preparation = {};
  /** By listener: the bind that was asked for last, while it is under way. */
  readonly #binding = new Map<string, object>();
  #touched: ReadonlySet<ResourceKey> = new Set();
  /** What the open preparation brings. */
  #upserts: ReadonlyMap<ResourceKey, Resource> = new Map();

  constructor(options: SimulatedDataplaneOptions) {
    this.#options = options;
  }

  /** What requests see. */
  get inUse(): ReadonlyMap<ResourceKey, Resource> {
    return this.#inUse;
  }

  get sockets(): ReadonlyMap<string, SimulatedSocket> {
    return this.#sockets;
  }

  get moving(): ReadonlyMap<string, SimulatedSocket> {
    return this.#moving;
  }

  get pools(): ReadonlyMap<string, 'open' | 'draining'> {
    return this.#pools;
  }

  prepare(changes: SnapshotChanges, at: AtObject = () => {}): Preparation {
    const upserts = changes.upserts.map(this.#options.seen);
    this.#upserts = new Map(upserts.map((resource) => [resourceKey(resource), resource]));
    this.#touched = new Set([
      ...this.#upserts.keys(),
      ...changes.removals,
      ...(changes.base === '' ? this.#inUse.keys() : []),
    ]);
    return this.#configuration.prepare({ ...changes, upserts }, (key) => {
      at(key);
      if (key !== null) this.#options.meet('prepare', this.#upserts.get(key)!);
    });
  }

  commit(rejected: readonly ResourceKey[], at: AtObject = () => {}): void {
    this.#configuration.commit(rejected, NO_TABLES, (key) => {
      at(key);
      const resource = key === null || rejected.includes(key) ? undefined : this.#upserts.get(key);
      if (resource !== undefined) this.#options.meet('commit', resource);
    });
    for (const key of this.#touched) {
      const resource = this.#configuration.get(key);
      if (resource === undefined) this.#inUse.delete(key);
      else this.#inUse.set(key, resource);
    }
    for (const [name, socket] of this.#moving)
      if (!rejected.includes(`listener/${name}`)) this.#sockets.set(name, socket);
    this.#drop();
  }

  discard(): void {
    this.#configuration.discard();
    this.#drop();
  }

  bindListener(listener: Listener): Promise<void> {
    const { prng, ports, worker, after } = this.#options;
    const { name, port } = listener;
    const before = this.#moving.get(name) ?? this.#sockets.get(name);
    if (before !== undefined && !before.draining && before.port === port) return Promise.resolve();
    const preparation = this.#preparation;
    const binding = {};
    this.#binding.set(name, binding);
    return new Promise((resolve, reject) => {
      const refuse = (code: string) => reject(Object.assign(new Error(`${code}: port ${port}`), { code }));
      after(prng.between(0, BIND_MS) + ports.stallMs, () => {
        const code = ports.refusal(port, worker);
        if (code !== null) return refuse(code);
        if (this.#binding.get(name) !== binding) return refuse('ECANCELED');
        this.#binding.delete(name);
        if (preparation !== this.#preparation && this.#committedPort(name) !== port) {
          if (this.#sockets.get(name)?.draining === true) this.#sockets.delete(name);
          return refuse('ECANCELED');
        }
        const socket = { port, active: false, draining: false };
        const now = this.#sockets.get(name);
        if (now === undefined || now.draining) this.#sockets.set(name, socket);
        else this.#moving.set(name, socket);
        resolve();
      });
    });
  }

  activateListener(name: string): void {
    const socket = this.#sockets.get(name);
    if (socket !== undefined) socket.active = true;
  }

  drainListener(name: string): void {
    const socket = this.#sockets.get(name);
    if (socket === undefined || socket.draining) return;
    this.#moving.delete(name);
    socket.draining = true;
    socket.active = false;
    this.#options.after(this.#options.drainMs(), () => {
      if (this.#sockets.get(name) === socket)
        this.#options.notify({ type: 'listener.drained', listener: name });
    });
  }

  closeListener(name: string): number {
    this.#binding.delete(name);
    this.#moving.delete(name);
    this.#sockets.delete(name);
    return 0;
  }

  openPool(cluster: Cluster, limitSlot: number): void {
    if (!Number.isInteger(limitSlot)) throw new Error(`cluster ${cluster.name} has no slot`);
    this.#pools.set(cluster.name, 'open');
  }

  drainPool(name: string): void {
    this.#pools.set(name, 'draining');
    this.#options.after(this.#options.drainMs(), () => {
      if (this.#pools.get(name) === 'draining') this.#options.notify({ type: 'pool.drained', cluster: name });
    });
  }

  closePool(name: string): number {
    this.#pools.delete(name);
    return 0;
  }

  ejectEndpoint(): void {}
  restoreEndpoint(): void {}
  abort(): void {}

  #committedPort(name: string): number | undefined {
    const listener = this.#inUse.get(`listener/${name}`);
    return listener?.kind === 'listener' ? listener.value.port : undefined;
  }

  /** Sockets that were bound for a change that did not come into use. */
  #drop(): void {
    this.#preparation = {};
    this.#moving.clear();
    for (const [name, { active, draining }] of this.#sockets)
      if (!active && !draining && !this.#inUse.has(`listener/${name}`)) this.closeListener(name);
  }

  report(): ReturnType<DataplaneControl['report']> {
    return { listeners: [], clusters: [], endpoints: [] };
  }
}

/** There is no traffic, so there are no tables: what is in use is read from the configuration itself. */
const NO_TABLES: ConfigurationTarget = {
  removeRoute() {},
  removeCertificate() {},
  putCertificate() {},
  removeListener() {},
  putListener() {},
  putRoute() {},
  putCluster() {},
  putEndpoint() {},
  removeEndpoint() {},
  endpointsChanged() {},
};
