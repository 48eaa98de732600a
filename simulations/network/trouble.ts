import type { Cluster } from '../../src/model/cluster.ts';
import { endpointId } from '../../src/model/endpoint.ts';
import type { Listener } from '../../src/model/gateway.ts';
import type { Resource, ResourceKey } from '../../src/model/resource.ts';
import { resourceKey } from '../../src/model/resource.ts';
import type { Prng } from '../prng.ts';
import { WELL } from './backend-answer.ts';
import type { Change } from './edge.ts';
import { drawLimits, drawTemperament, PORTS } from './topology.ts';
import { EDGE, type TrafficWorld } from './traffic-world.ts';

const KINDS = ['backend', 'partition', 'edit', 'worker', 'shortage'] as const;
type Kind = (typeof KINDS)[number];

/** Draws what goes wrong, and what users change meanwhile. */
export class Trouble {
  readonly #world: TrafficWorld;
  readonly #prng: Prng;
  /** Mean time between two of a kind, in ms; those that do not happen are missing. */
  readonly rates = new Map<Kind, number>();
  /** How often each kind of trouble struck. */
  readonly struck = new Map<string, number>();
  #stopped = false;

  constructor(world: TrafficWorld) {
    this.#world = world;
    this.#prng = world.prng.split('trouble');
    for (const kind of KINDS)
      if (this.#prng.chance(kind === 'worker' ? 0.25 : 0.65))
        this.rates.set(kind, this.#prng.between(300, kind === 'worker' ? 6_000 : 3_000));
    if (this.#prng.chance(0.8))
      for (const backend of world.backends) backend.temperament = drawTemperament(this.#prng);
  }

  start(): void {
    for (const [kind, mean] of this.rates) this.#again(kind, mean);
  }

  /** No more of it; what is wrong stays wrong. */
  stop(): void {
    this.#stopped = true;
  }

  /** All is as it was at the start; no more of it. */
  heal(): void {
    const { network, backends, edge, topology } = this.#world;
    this.stop();
    network.healAll();
    edge.shortage.descriptors = false;
    edge.shortage.ports.clear();
    for (const backend of backends) {
      backend.temperament = WELL;
      backend.start();
    }
    const healthy = (cluster: Cluster): Cluster => ({
      ...cluster,
      maxConnections: Math.max(3 * topology.workers, cluster.maxConnections),
      maxPendingRequests: Math.max(10, cluster.maxPendingRequests),
    });
    const upserts = this.#world
      .resources()
      .map(
        (one): Resource => (one.kind === 'cluster' ? { kind: 'cluster', value: healthy(one.value) } : one),
      );
    edge.change(() => ({ upserts, removals: [] }));
  }

  #shortage(): void {
    const { edge, clock } = this.#world;
    const { shortage } = edge;
    const prng = this.#prng;
    const ms = prng.between(0, prng.pick([50, 500, 2_000]));
    // A worker that is being replaced needs its sockets: what comes of a lack there is the matter of `rollout`.
    if (edge.changing > 0) return;
    if (prng.chance(0.5)) {
      this.#note('out of files', `no descriptors for ${ms.toFixed(0)} ms`);
      shortage.descriptors = true;
      clock.after(ms, () => {
        shortage.descriptors = false;
      });
    } else {
      const used = this.#world.ports();
      const port = prng.pick(PORTS.filter((each) => !used.includes(each)));
      this.#note('port taken', `another program has port ${port} for ${ms.toFixed(0)} ms`);
      shortage.ports.add(port);
      clock.after(ms, () => shortage.ports.delete(port));
    }
  }

  #note(kind: string, text: string): void {
    this.struck.set(kind, (this.struck.get(kind) ?? 0) + 1);
    this.#world.note(text);
  }

  #again(kind: Kind, mean: number): void {
    this.#world.clock.after(this.#prng.between(0, 2 * mean), () => {
      if (this.#stopped) return;
      this.#make(kind);
      this.#again(kind, mean);
    });
  }

  #make(kind: Kind): void {
    switch (kind) {
      case 'backend':
        this.#troubleBackend();
        break;
      case 'partition':
        this.#partition();
        break;
      case 'edit':
        this.#world.edge.change(() => this.#edit());
        break;
      case 'worker': {
        const worker = this.#prng.below(this.#world.topology.workers);
        this.#note('worker dies', `worker ${worker} dies`);
        this.#world.edge.restart(worker);
        break;
      }
      case 'shortage':
        this.#shortage();
    }
  }

  #troubleBackend(): void {
    const prng = this.#prng;
    const backend = prng.pick(this.#world.backends);
    if (!backend.isUp) {
      this.#world.note(`backend ${backend.name} is back`);
      backend.start();
    } else if (prng.chance(0.4)) {
      this.#note('backend dies', `backend ${backend.name} dies`);
      backend.stop('die');
    } else if (prng.chance(0.3)) {
      this.#note('backend refuses', `backend ${backend.name} refuses`);
      backend.stop('refuse');
    } else {
      backend.temperament = prng.chance(0.3) ? WELL : drawTemperament(prng);
      this.#note('backend changes', `backend ${backend.name} is of another temper`);
    }
  }

  #partition(): void {
    const { network, clients, backends } = this.#world;
    const prng = this.#prng;
    const far = prng.chance(0.5) ? prng.pick(backends).address : prng.pick(clients).options.name;
    const ways = prng.pick(['out', 'in', 'both'] as const);
    const links = [
      ...(ways === 'in' ? [] : [network.link(EDGE, far)]),
      ...(ways === 'out' ? [] : [network.link(far, EDGE)]),
    ];
    const ms = prng.between(0, prng.pick([100, 1_000, 4_000]));
    this.#note('partition', `${far} is cut off (${ways}) for ${ms.toFixed(0)} ms`);
    for (const link of links) link.block();
    this.#world.clock.after(ms, () => {
      for (const link of links) link.heal();
    });
  }

  #edit(): Change {
    const { edge, topology } = this.#world;
    const prng = this.#prng;
    const upserts: Resource[] = [];
    const removals: ResourceKey[] = [];
    const put = (resource: Resource) => upserts.push(resource);
    switch (prng.pick(['limits', 'endpoint', 'endpoint', 'cluster', 'listener', 'listener'] as const)) {
      case 'limits': {
        const cluster = prng.pick(topology.clusters);
        if (edge.resources.has(`cluster/${cluster.name}`))
          put({ kind: 'cluster', value: { ...cluster, ...drawLimits(prng) } });
        break;
      }
      case 'endpoint': {
        const endpoint = prng.pick(topology.endpoints);
        const resource: Resource = { kind: 'endpoint', value: endpoint };
        const key = resourceKey(resource);
        if (!edge.resources.has(`cluster/${endpoint.cluster}`)) break;
        if (!edge.resources.has(key)) put(resource);
        else if (prng.chance(0.5)) removals.push(key);
        else
          put({
            kind: 'endpoint',
            value: { ...endpoint, ready: prng.chance(0.5), weight: prng.pick([0, 1, 5]) },
          });
        break;
      }
      case 'cluster': {
        const cluster = prng.pick(topology.clusters);
        const endpoints = topology.endpoints.filter((each) => each.cluster === cluster.name);
        if (edge.resources.has(`cluster/${cluster.name}`))
          removals.push(
            `cluster/${cluster.name}`,
            ...endpoints.map((each) => `endpoint/${cluster.name}/${endpointId(each)}`),
          );
        else {
          put({ kind: 'cluster', value: { ...cluster, ...drawLimits(prng) } });
          for (const value of endpoints) put({ kind: 'endpoint', value });
        }
        break;
      }
      case 'listener': {
        const listener = prng.pick(topology.listeners);
        const key = `listener/${listener.name}`;
        const taken = this.#world.ports();
        const free = PORTS.filter((port) => listener.hostnames.length > 0 || !taken.includes(port));
        const moved: Listener = { ...listener, port: prng.pick(free) };
        if (!edge.resources.has(key)) put({ kind: 'listener', value: moved });
        else if (prng.chance(0.5)) removals.push(key);
        else put({ kind: 'listener', value: moved });
      }
    }
    const edits = [...upserts.map(resourceKey), ...removals.map((key) => `-${key}`)];
    if (edits.length > 0) this.#note('edit', `a user edits ${edits.join(' ')}`);
    return { upserts, removals };
  }
}
