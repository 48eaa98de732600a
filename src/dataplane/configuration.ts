import type { Filter } from '../model/filter.ts';
import type { Listener } from '../model/gateway.ts';
import type { Policy } from '../model/policy.ts';
import type { Resource, ResourceKey } from '../model/resource.ts';
import { keyKind, keyName, resourceKey } from '../model/resource.ts';
import type { Route } from '../model/route.ts';
import type { ObjectFailure, SnapshotChanges } from '../model/snapshot.ts';
import { ClientAddressing } from './client-address/client-addressing.ts';
import type { AtObject, Preparation } from './control.ts';
import { filterFault } from './filters/filter-plan.ts';
import type { RouteEntry } from './router/route-entry.ts';
import { routeEntry } from './router/route-entry.ts';
import type { PolicyView } from './served-rule.ts';
import { checkClusterTls } from './tls/backend-security.ts';
import type { CompiledCertificate } from './tls/compiled-certificate.ts';
import { compileCertificate } from './tls/compiled-certificate.ts';
import { checkListenerTls } from './tls/listener-termination.ts';

/** A route whose patterns are compiled; the rule of each entry is filled in for each listener it is attached to. */
export interface CompiledRoute {
  readonly route: Route;
  /** `rule` is the index of the rule. */
  readonly entries: readonly RouteEntry<number>[];
}

/** What a commit does to the tables in use; called in this order, all in one turn. */
export interface ConfigurationTarget {
  removeListener(name: string): void;
  removeRoute(name: string): void;
  removeCertificate(name: string): void;
  putListener(listener: Listener): void;
  putRoute(route: CompiledRoute): void;
  putCertificate(certificate: CompiledCertificate): void;
  putCluster(name: string, value: Extract<Resource, { kind: 'cluster' }>['value'] | null): void;
  putEndpoint(value: Extract<Resource, { kind: 'endpoint' }>['value']): void;
  /** `id` as in the resource key: the key without kind and cluster. */
  removeEndpoint(cluster: string, id: string): void;
  /** After all endpoints of the commit. */
  endpointsChanged(cluster: string): void;
}

const nowhere: AtObject = () => {};

const REMOVAL_ORDER = [
  'listener',
  'route',
  'cluster',
  'endpoint',
  'policy',
  'gateway',
  'vip',
  'certificate',
] as const;

interface Open {
  readonly upserts: Map<ResourceKey, Resource>;
  readonly removals: Set<ResourceKey>;
  readonly routes: Map<ResourceKey, CompiledRoute>;
  readonly certificates: Map<ResourceKey, CompiledCertificate>;
  readonly failed: Set<ResourceKey>;
}

/**
 * The resources in use, and at most one preparation beside them. A change costs what it touches, not what there is:
 * nothing is copied, and a commit hands only the differences to the tables.
 */
export class Configuration implements PolicyView {
  generation = 0;
  readonly #resources = new Map<ResourceKey, Resource>();
  readonly #policies = new Map<string, Policy[]>();
  #open: Open | null = null;

  get(key: ResourceKey): Resource | undefined {
    return this.#resources.get(key);
  }

  filters(gateway: string, route: string): readonly Filter[] {
    const all = [
      ...(this.#policies.get(`gateway ${gateway}`) ?? []),
      ...(this.#policies.get(`route ${route}`) ?? []),
    ];
    return all.flatMap((policy) => policy.filters);
  }

  prepare(changes: SnapshotChanges, at: AtObject = nowhere): Preparation {
    if (this.#open !== null) throw new Error('a preparation is already open');
    const open: Open = {
      upserts: new Map(),
      removals: new Set(),
      routes: new Map(),
      certificates: new Map(),
      failed: new Set(),
    };
    const failures: ObjectFailure[] = [];
    const whole = changes.base === '';
    const unchanged = new Set<ResourceKey>();
    for (const resource of changes.upserts) {
      if (resource.kind === 'vip') continue;
      const key = resourceKey(resource);
      at(key);
      const before = whole ? this.#resources.get(key) : undefined;
      if (before !== undefined && JSON.stringify(before) === JSON.stringify(resource)) {
        // The whole snapshot comes again after a reconnect: what is as it was is not touched.
        unchanged.add(key);
        continue;
      }
      const fault = this.#compiled(key, resource, open);
      if (fault === null) open.upserts.set(key, resource);
      else {
        open.failed.add(key);
        failures.push({ key, ...fault });
      }
    }
    at(null);
    const removals = whole ? this.#absent(open, unchanged) : changes.removals;
    for (const key of removals) if (this.#resources.has(key)) open.removals.add(key);
    this.#open = open;
    return { failures, ...this.#lifetimes(open) };
  }

  discard(): void {
    this.#open = null;
  }

  commit(rejected: readonly ResourceKey[], target: ConfigurationTarget, at: AtObject = nowhere): void {
    const open = this.#open;
    if (open === null) throw new Error('no preparation is open');
    this.#open = null;
    for (const key of rejected) {
      open.upserts.delete(key);
      open.removals.delete(key);
    }
    const touched = new Set<string>();
    // What a listener served it goes on serving while it drains: it goes before its routes and their clusters do.
    for (const kind of REMOVAL_ORDER)
      for (const key of open.removals) {
        if (keyKind(key) !== kind) continue;
        at(key);
        this.#remove(key, target, touched);
      }
    for (const [key, resource] of open.upserts) {
      if (resource.kind !== 'listener' && resource.kind !== 'cluster') continue;
      at(key);
      if (resource.kind === 'listener') target.putListener(resource.value);
      else target.putCluster(resource.value.name, resource.value);
    }
    for (const [key, resource] of open.upserts) {
      at(key);
      const before = this.#resources.get(key);
      this.#resources.set(key, resource);
      if (resource.kind === 'route') target.putRoute(open.routes.get(key)!);
      else if (resource.kind === 'certificate') target.putCertificate(open.certificates.get(key)!);
      else if (resource.kind === 'endpoint') {
        target.putEndpoint(resource.value);
        touched.add(resource.value.cluster);
      } else if (resource.kind === 'policy') {
        if (before?.kind === 'policy') this.#dropPolicy(before.value);
        this.#addPolicy(resource.value);
      }
    }
    for (const cluster of touched) {
      at(`cluster/${cluster}`);
      target.endpointsChanged(cluster);
    }
    at(null);
  }

  /** An object that we choke on is refused alone: its neighbours go on. */
  #compiled(key: ResourceKey, resource: Resource, open: Open): { reason: string; message: string } | null {
    try {
      return this.#compile(key, resource, open);
    } catch (error) {
      return { reason: 'PrepareFailed', message: error instanceof Error ? error.message : String(error) };
    }
  }

  #compile(key: ResourceKey, resource: Resource, open: Open): { reason: string; message: string } | null {
    if (resource.kind === 'policy') return firstFault('filters', resource.value.filters);
    if (resource.kind === 'listener') {
      // Throws where it cannot be used.
      ClientAddressing.of(resource.value.clientAddress);
      return tlsFault(() => checkListenerTls(resource.value.tls));
    }
    if (resource.kind === 'cluster') return tlsFault(() => checkClusterTls(resource.value.tls));
    if (resource.kind === 'certificate')
      return tlsFault(() => open.certificates.set(key, compileCertificate(resource.value)));
    if (resource.kind !== 'route') return null;
    const route = resource.value;
    const entries: RouteEntry<number>[] = [];
    for (const [ruleIndex, rule] of route.rules.entries()) {
      const fault = firstFault(`rules[${ruleIndex}].filters`, rule.filters);
      if (fault !== null) return fault;
      for (const [matchIndex, match] of rule.matches.entries()) {
        try {
          entries.push(
            routeEntry(match, ruleIndex, {
              createdAt: route.createdAt,
              route: route.name,
              ruleIndex,
              matchIndex,
            }),
          );
        } catch (error) {
          return {
            reason: 'InvalidRegularExpression',
            message: error instanceof Error ? error.message : String(error),
          };
        }
      }
    }
    open.routes.set(key, { route, entries });
    return null;
  }

  /** The whole snapshot came: what it does not have goes, but a refused object keeps what it had. */
  #absent(open: Open, unchanged: ReadonlySet<ResourceKey>): ResourceKey[] {
    const absent: ResourceKey[] = [];
    for (const key of this.#resources.keys()) {
      if (!open.upserts.has(key) && !open.failed.has(key) && !unchanged.has(key)) absent.push(key);
    }
    return absent;
  }

  #lifetimes(open: Open): Pick<Preparation, 'listeners' | 'clusters'> {
    const listeners = {
      added: [] as Listener[],
      changed: [] as Listener[],
      removed: [] as string[],
    };
    const clusters: {
      added: Preparation['clusters']['added'][number][];
      changed: Preparation['clusters']['changed'][number][];
      removed: string[];
    } = { added: [], changed: [], removed: [] };
    for (const [key, resource] of open.upserts) {
      if (resource.kind !== 'listener' && resource.kind !== 'cluster') continue;
      const before = this.#resources.get(key);
      const isNew = before === undefined;
      if (!isNew && JSON.stringify(before.value) === JSON.stringify(resource.value)) continue;
      if (resource.kind === 'listener') (isNew ? listeners.added : listeners.changed).push(resource.value);
      else (isNew ? clusters.added : clusters.changed).push(resource.value);
    }
    for (const key of open.removals) {
      if (keyKind(key) === 'listener') listeners.removed.push(keyName(key));
      else if (keyKind(key) === 'cluster') clusters.removed.push(keyName(key));
    }
    return { listeners, clusters };
  }

  #remove(key: ResourceKey, target: ConfigurationTarget, touched: Set<string>): void {
    const resource = this.#resources.get(key);
    if (resource === undefined) return;
    this.#resources.delete(key);
    switch (resource.kind) {
      case 'listener':
        target.removeListener(resource.value.name);
        break;
      case 'route':
        target.removeRoute(resource.value.name);
        break;
      case 'certificate':
        target.removeCertificate(resource.value.name);
        break;
      case 'cluster':
        target.putCluster(resource.value.name, null);
        break;
      case 'endpoint':
        target.removeEndpoint(
          resource.value.cluster,
          key.slice(`endpoint/${resource.value.cluster}/`.length),
        );
        touched.add(resource.value.cluster);
        break;
      case 'policy':
        this.#dropPolicy(resource.value);
        break;
      default:
        break;
    }
  }

  #addPolicy(policy: Policy): void {
    this.generation += 1;
    const key = `${policy.target.kind} ${policy.target.name}`;
    const policies = [...(this.#policies.get(key) ?? []), policy];
    policies.sort((a, b) => a.createdAt - b.createdAt || (a.name < b.name ? -1 : 1));
    this.#policies.set(key, policies);
  }

  #dropPolicy(policy: Policy): void {
    this.generation += 1;
    const key = `${policy.target.kind} ${policy.target.name}`;
    const left = (this.#policies.get(key) ?? []).filter((other) => other.name !== policy.name);
    if (left.length === 0) this.#policies.delete(key);
    else this.#policies.set(key, left);
  }
}

function tlsFault(check: () => unknown): { reason: string; message: string } | null {
  try {
    check();
    return null;
  } catch (error) {
    return { reason: 'InvalidTls', message: error instanceof Error ? error.message : String(error) };
  }
}

function firstFault(field: string, filters: readonly Filter[]): { reason: string; message: string } | null {
  for (const [index, filter] of filters.entries()) {
    const fault = filterFault(filter);
    if (fault !== null) return { reason: fault.reason, message: `${field}[${index}]: ${fault.message}` };
  }
  return null;
}
