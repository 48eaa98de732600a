import type { Listener } from '../model/gateway.ts';
import type { CompiledRoute } from './configuration.ts';
import type { Counters } from './counters.ts';
import { StatusCounters } from './counters.ts';
import type { ListenerRoutes } from './router/port-router.ts';
import type { RouteEntry } from './router/route-entry.ts';
import type { ServedListener } from './served-listener.ts';
import type { ServedPort } from './served-port.ts';
import type { PolicyView } from './served-rule.ts';
import { ServedRule } from './served-rule.ts';
import type { ClusterPool } from './upstream/cluster-pool.ts';

interface ListenerTable {
  readonly listener: ServedListener;
  readonly port: ServedPort;
  readonly hostnames: readonly string[];
  readonly routes: ListenerRoutes<ServedListener, ServedRule>;
}

/** Routes of a listener that has gone, as they were. */
export interface FrozenRoutes {
  release(): void;
}

interface Hanging {
  readonly listener: string;
  readonly table: ListenerRoutes<ServedListener, ServedRule>;
  readonly hostnames: readonly string[];
  readonly entry: RouteEntry<ServedRule>;
}

/** Which routes hang where. A changed route touches its own entries only. */
export class RoutingTables {
  readonly #counters: Counters;
  readonly #policies: PolicyView;
  readonly #pool: (cluster: string) => ClusterPool;
  readonly #listeners = new Map<string, ListenerTable>();
  readonly #routes = new Map<string, { compiled: CompiledRoute; hanging: Hanging[] }>();
  /** Names of the routes attached to a listener, also to one that is not there yet. */
  readonly #attached = new Map<string, Set<string>>();
  readonly #routeCounters = new Map<string, StatusCounters>();

  constructor(counters: Counters, policies: PolicyView, pool: (cluster: string) => ClusterPool) {
    this.#counters = counters;
    this.#policies = policies;
    this.#pool = pool;
  }

  putListener(config: Listener, listener: ServedListener, port: ServedPort): void {
    const before = this.#listeners.get(config.name);
    const same =
      before !== undefined &&
      before.port === port &&
      before.listener === listener &&
      before.hostnames.join() === config.hostnames.join();
    if (same) return;
    this.removeListener(config.name);
    const routes = port.router.addListener(listener, config.hostnames);
    this.#listeners.set(config.name, { listener, port, hostnames: config.hostnames, routes });
    for (const name of this.#attached.get(config.name) ?? []) {
      const route = this.#routes.get(name)!;
      this.#hang(route.compiled, config.name, route.hanging);
    }
  }

  /**
   * Leaves the listener's routes on its port as they are now, untouched by later changes, with the clusters they name
   * kept at work, until released. Null where it has none.
   */
  freeze(name: string): FrozenRoutes | null {
    const table = this.#listeners.get(name);
    if (table === undefined) return null;
    this.#listeners.delete(name);
    const rules = new Set<ServedRule>();
    for (const routeName of this.#attached.get(name) ?? []) {
      const route = this.#routes.get(routeName)!;
      for (const hanging of route.hanging) if (hanging.listener === name) rules.add(hanging.entry.rule);
      route.hanging = route.hanging.filter((hanging) => hanging.listener !== name);
    }
    const pools = new Set<ClusterPool>();
    for (const rule of rules) {
      rule.freeze();
      for (const { pool } of rule.pools) pools.add(pool);
      for (const { pool } of rule.mirrors) pools.add(pool);
    }
    for (const pool of pools) pool.hold();
    return {
      release: () => {
        table.port.router.removeListener(table.routes, table.hostnames);
        for (const pool of pools) pool.letGo();
      },
    };
  }

  removeListener(name: string): void {
    const table = this.#listeners.get(name);
    if (table === undefined) return;
    this.#listeners.delete(name);
    table.port.router.removeListener(table.routes, table.hostnames);
    for (const routeName of this.#attached.get(name) ?? []) {
      const route = this.#routes.get(routeName)!;
      route.hanging = route.hanging.filter((hanging) => hanging.listener !== name);
    }
  }

  putRoute(compiled: CompiledRoute): void {
    this.removeRoute(compiled.route.name);
    const hanging: Hanging[] = [];
    this.#routes.set(compiled.route.name, { compiled, hanging });
    const listeners = new Set(compiled.route.attachments.map((attachment) => attachment.listener));
    for (const listener of listeners) {
      let attached = this.#attached.get(listener);
      if (attached === undefined) {
        attached = new Set();
        this.#attached.set(listener, attached);
      }
      attached.add(compiled.route.name);
      this.#hang(compiled, listener, hanging);
    }
  }

  removeRoute(name: string): void {
    const route = this.#routes.get(name);
    if (route === undefined) return;
    this.#routes.delete(name);
    for (const { table, hostnames, entry } of route.hanging) table.remove(hostnames, entry);
    for (const { listener } of route.compiled.route.attachments) {
      const attached = this.#attached.get(listener);
      attached?.delete(name);
      if (attached?.size === 0) this.#attached.delete(listener);
    }
  }

  #hang(compiled: CompiledRoute, listenerName: string, hanging: Hanging[]): void {
    const table = this.#listeners.get(listenerName);
    if (table === undefined) return;
    const { route } = compiled;
    const rules = route.rules.map(
      (rule) =>
        new ServedRule(
          route.name,
          table.listener,
          rule,
          rule.clusters.map(({ cluster, weight }) => ({ pool: this.#pool(cluster), weight })),
          rule.mirrors.map(({ cluster, share }) => ({ pool: this.#pool(cluster), share })),
          this.#countersOf(listenerName, route.name),
          this.#policies,
        ),
    );
    for (const { listener, hostnames } of route.attachments) {
      if (listener !== listenerName) continue;
      for (const compiledEntry of compiled.entries) {
        const entry = { ...compiledEntry, rule: rules[compiledEntry.rule]! };
        table.routes.add(hostnames, entry);
        hanging.push({ listener, table: table.routes, hostnames, entry });
      }
    }
  }

  /** Kept over changes of the route, so that its counts go on. */
  #countersOf(listener: string, route: string): StatusCounters {
    const key = `${listener} ${route}`;
    let counters = this.#routeCounters.get(key);
    if (counters === undefined) {
      counters = new StatusCounters(this.#counters, 'request_count', { listener, route });
      this.#routeCounters.set(key, counters);
    }
    return counters;
  }
}
