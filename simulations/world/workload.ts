import { CLUSTER_DEFAULTS } from '../../src/model/cluster.ts';
import { LISTENER_DEFAULTS } from '../../src/model/gateway.ts';
import type { Resource, ResourceKey } from '../../src/model/resource.ts';
import { resourceKey } from '../../src/model/resource.ts';
import { RULE_DEFAULTS } from '../../src/model/route.ts';
import type { Prng } from '../prng.ts';
import type { Snapshot } from './controller.ts';
import { DEADLY, type Deadly } from './deadly.ts';

export interface Change {
  readonly upserts: readonly Resource[];
  readonly removals: readonly ResourceKey[];
}

export const PORTS = [80, 443, 8_080, 8_443, 9_000] as const;

const NAMES = ['a', 'b', 'c', 'd'] as const;
/** Not a regular expression: no worker can prepare a route that has it. */
const INVALID = '(';

/**
 * Draws what users do to their configuration. Every object is made anew with a number that no other has, so that
 * two versions of an object are never alike.
 */
export class Workload {
  readonly #prng: Prng;
  readonly #workers: number;
  /** Version of a route → the worker that alone cannot prepare it. */
  readonly #fragile = new Map<number, number>();
  readonly #badness: number;
  readonly #deadliness: number;
  readonly #deadlyPrng: Prng;
  /** By version. */
  readonly #deadly = new Map<number, Deadly>();
  #revision = 0;

  /** `badness`: chance that a new route cannot be prepared somewhere; `deadliness`: that an object harms workers. */
  constructor(prng: Prng, workers: number, badness: number, deadliness: number) {
    this.#prng = prng;
    this.#workers = workers;
    this.#badness = badness;
    this.#deadliness = deadliness;
    this.#deadlyPrng = prng.split('deadly');
  }

  /** One edit of one to five objects. */
  draw(wish: Snapshot): Change {
    const upserts = new Map<ResourceKey, Resource>();
    const removals = new Set<ResourceKey>();
    for (let edit = 1 + this.#prng.below(5); edit > 0; edit -= 1) {
      const resource = this.#mayHarm(this.#resource());
      const key = resourceKey(resource);
      if (wish.has(key) && this.#prng.chance(0.3)) {
        removals.add(key);
        upserts.delete(key);
      } else {
        upserts.set(key, resource);
        removals.delete(key);
      }
    }
    return { upserts: [...upserts.values()], removals: [...removals] };
  }

  /** What mends all that no worker, or one worker, could prepare, or would live with. */
  mend(wish: Snapshot): Change {
    const upserts: Resource[] = [];
    for (const resource of wish.values()) if (this.isFlawed(resource)) upserts.push(this.#mended(resource));
    upserts.push(this.#route('test/last', '/last'));
    return { upserts, removals: [] };
  }

  /** No worker can prepare it. */
  isBad(resource: Resource): boolean {
    return (
      resource.kind === 'route' &&
      resource.value.rules.some((rule) => rule.matches.some(({ path }) => path.value === INVALID))
    );
  }

  /** Some worker cannot prepare it, or would not survive it. */
  isFlawed(resource: Resource): boolean {
    return (
      this.isBad(resource) ||
      this.deadly(resource) !== undefined ||
      (resource.kind === 'route' && this.#fragile.has(resource.value.createdAt))
    );
  }

  /** What it does to a worker; undefined: no harm. */
  deadly(resource: Resource): Deadly | undefined {
    return this.#deadly.size === 0 ? undefined : this.#deadly.get(revision(resource));
  }

  /** The resource as that worker gets it. */
  seen(worker: number, resource: Resource): Resource {
    return resource.kind === 'route' && this.#fragile.get(resource.value.createdAt) === worker
      ? withPath(resource, INVALID)
      : resource;
  }

  #mayHarm(resource: Resource): Resource {
    if (this.#deadlyPrng.chance(this.#deadliness) && !this.isFlawed(resource))
      this.#deadly.set(revision(resource), this.#deadlyPrng.pick(DEADLY));
    return resource;
  }

  #mended(resource: Resource): Resource {
    this.#revision += 1;
    switch (resource.kind) {
      case 'listener':
        return { ...resource, value: { ...resource.value, hostnames: [`v${this.#revision}.test`] } };
      case 'cluster':
        return { ...resource, value: { ...resource.value, maxConnections: this.#revision } };
      case 'endpoint':
        return { ...resource, value: { ...resource.value, weight: this.#revision } };
      case 'route':
        return this.#route(resource.value.name, '/mended');
      default:
        throw new Error(`no user makes a ${resource.kind}`);
    }
  }

  #resource(): Resource {
    const prng = this.#prng;
    this.#revision += 1;
    const name = `test/${prng.pick(NAMES)}`;
    switch (prng.pick(['listener', 'listener', 'cluster', 'endpoint', 'route', 'route'] as const)) {
      case 'listener':
        return {
          kind: 'listener',
          value: {
            name: `test/web/${prng.pick(NAMES)}`,
            gateway: 'test/web',
            port: prng.pick(PORTS),
            protocol: 'HTTP',
            ...LISTENER_DEFAULTS,
            hostnames: [`v${this.#revision}.test`],
          },
        };
      case 'cluster':
        return {
          kind: 'cluster',
          value: {
            name,
            ...CLUSTER_DEFAULTS,
            connectTimeoutMs: 1_000,
            idleTimeoutMs: 60_000,
            maxConnections: this.#revision,
            maxPendingRequests: 10,
          },
        };
      case 'endpoint':
        return {
          kind: 'endpoint',
          value: {
            cluster: name,
            address: `10.0.0.${1 + prng.below(3)}`,
            port: 80,
            weight: this.#revision,
            ready: true,
            zone: '',
            nodeName: '',
          },
        };
      case 'route':
        return prng.chance(this.#badness) ? this.#badRoute(name) : this.#route(name, '/good');
    }
  }

  #badRoute(name: string): Resource {
    if (this.#prng.chance(0.5)) return this.#route(name, INVALID);
    const route = this.#route(name, '/fragile');
    this.#fragile.set(this.#revision, this.#prng.below(this.#workers));
    return route;
  }

  /** `createdAt` is its version. */
  #route(name: string, path: string): Resource {
    this.#revision += 1;
    return withPath(
      { kind: 'route', value: { name, createdAt: this.#revision, attachments: [], rules: [] } },
      path,
    );
  }
}

/** The number that no other object's version has. */
export function revision(resource: Resource): number {
  switch (resource.kind) {
    case 'listener':
      return Number(/\d+/.exec(resource.value.hostnames[0] ?? '')?.[0]);
    case 'cluster':
      return resource.value.maxConnections;
    case 'endpoint':
      return resource.value.weight;
    case 'route':
      return resource.value.createdAt;
    default:
      throw new Error(`no user makes a ${resource.kind}`);
  }
}

function withPath(resource: Extract<Resource, { kind: 'route' }>, path: string): Resource {
  const match = {
    path: { type: 'RegularExpression' as const, value: path },
    method: null,
    headers: [],
    queryParams: [],
  };
  const rule = {
    matches: [match],
    filters: [],
    clusters: [],
    ...RULE_DEFAULTS,
    requestTimeoutMs: 0,
    backendTimeoutMs: 0,
  };
  return { kind: 'route', value: { ...resource.value, rules: [rule] } };
}
