import { HostMap } from './host-map.ts';
import { PathTable } from './path-table.ts';
import type { RequestView, RouteEntry } from './route-entry.ts';

/** Routes of one listener by host. */
export class ListenerRoutes<L, R> {
  readonly listener: L;
  readonly hosts = new HostMap<PathTable<R>>();
  readonly #changed: () => void;

  constructor(listener: L, changed: () => void) {
    this.listener = listener;
    this.#changed = changed;
  }

  add(hostnames: readonly string[], entry: RouteEntry<R>): void {
    for (const hostname of hostnames.length === 0 ? [''] : hostnames) {
      let table = this.hosts.get(hostname);
      if (table === undefined) {
        table = new PathTable();
        this.hosts.set(hostname, table);
        this.#changed();
      }
      table.add(entry);
    }
  }

  remove(hostnames: readonly string[], entry: RouteEntry<R>): void {
    for (const hostname of hostnames.length === 0 ? [''] : hostnames) {
      const table = this.hosts.get(hostname);
      if (table === undefined) continue;
      table.remove(entry);
      if (!table.isEmpty) continue;
      this.hosts.delete(hostname);
      this.#changed();
    }
  }
}

/** Where a host leads: one listener, and its tables from the most specific host to the least. */
export interface HostChain<L, R> {
  readonly listener: L;
  readonly tables: readonly PathTable<R>[];
}

const MOST_CACHED_HOSTS = 4096;

/**
 * The listeners of one port. The listener with the most specific hostname gets the request; within it the tables of
 * less specific hosts are asked where the more specific have nothing (Gateway API, Listener and HTTPRoute hostnames).
 */
export class PortRouter<L, R> {
  readonly #listeners = new HostMap<ListenerRoutes<L, R>>();
  /** Chains of hosts that were asked for; emptied when a host comes or goes. */
  readonly #chains = new Map<string, HostChain<L, R> | null>();

  get isEmpty(): boolean {
    return this.#listeners.isEmpty;
  }

  addListener(listener: L, hostnames: readonly string[]): ListenerRoutes<L, R> {
    const routes = new ListenerRoutes<L, R>(listener, () => this.#chains.clear());
    this.putListener(routes, hostnames);
    return routes;
  }

  putListener(routes: ListenerRoutes<L, R>, hostnames: readonly string[]): void {
    for (const hostname of hostnames.length === 0 ? [''] : hostnames) this.#listeners.set(hostname, routes);
    this.#chains.clear();
  }

  removeListener(routes: ListenerRoutes<L, R>, hostnames: readonly string[]): void {
    for (const hostname of hostnames.length === 0 ? [''] : hostnames) {
      if (this.#listeners.get(hostname) === routes) this.#listeners.delete(hostname);
    }
    this.#chains.clear();
  }

  /** `host` in lower case, without port. Null where no listener takes it. */
  chain(host: string): HostChain<L, R> | null {
    const known = this.#chains.get(host);
    if (known !== undefined) return known;
    const routes = this.#listeners.matches(host)[0];
    const chain =
      routes === undefined ? null : { listener: routes.listener, tables: routes.hosts.matches(host) };
    if (this.#chains.size >= MOST_CACHED_HOSTS) this.#chains.clear();
    this.#chains.set(host, chain);
    return chain;
  }
}

export function findRoute<L, R>(
  chain: HostChain<L, R>,
  path: string,
  request: RequestView,
): RouteEntry<R> | null {
  const tables = chain.tables;
  for (let index = 0; index < tables.length; index += 1) {
    const found = tables[index]!.find(path, request);
    if (found !== null) return found;
  }
  return null;
}
