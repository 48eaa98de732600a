import type { Cluster } from '../../model/cluster.ts';
import type { Endpoint } from '../../model/endpoint.ts';
import { endpointId } from '../../model/endpoint.ts';
import { LIMIT_CONNECTIONS, LIMIT_PENDING } from '../../model/limits.ts';
import type { ResponseReason } from '../../model/response-reason.ts';
import { NO_KEY } from '../balance/balancer.ts';
import { ClusterBalance } from '../balance/cluster-balance.ts';
import type { RequestHash } from '../balance/request-hash.ts';
import type { Context } from '../context.ts';
import { TICK_MS } from '../timer-wheel.ts';
import { ClusterCounters } from './cluster-counters.ts';
import { EndpointState } from './endpoint-state.ts';
import { LimitWatch } from './limit-watch.ts';
import { PendingQueue } from './pending-queue.ts';
import { RetryBudget } from './retry-budget.ts';
import { UpstreamConnection } from './upstream-connection.ts';
import type { UpstreamUser } from './upstream-user.ts';
import { isForAnybody, WarmConnections } from './warm-connections.ts';

const FAILURES_BEFORE_NOTICE = 3;
/** How often a worker whose requests wait gives up a connection to workers whose requests wait too. */
const YIELD_EVERY_MS = 250;
/** For how long it then leaves it to them; they look with each tick. */
const YIELD_MS = 2 * TICK_MS;

/** This machine has run out of descriptors, memory or local ports: that says nothing about the endpoint. */
const OWN_SHORTAGES: ReadonlySet<string> = new Set([
  'EMFILE',
  'ENFILE',
  'ENOBUFS',
  'ENOMEM',
  'EADDRNOTAVAIL',
]);

/**
 * The connections of one worker to one cluster. Lives as long as something names the cluster; `config` is null
 * while the snapshot has none, `isOpen` says whether its actor lets it work. A cluster that goes keeps its endpoints
 * and works on for those who wait for it and for listeners that drain (`hold`).
 */
export class ClusterPool {
  readonly name: string;
  config: Cluster | null = null;
  isOpen = false;
  isDraining = false;
  connections = 0;
  readonly endpoints = new Map<string, EndpointState>();
  readonly counters: ClusterCounters;
  readonly retryBudget = new RetryBudget();
  readonly #context: Context;
  readonly #balance: ClusterBalance<EndpointState>;
  readonly #pending = new PendingQueue();
  readonly #limits: LimitWatch;
  readonly #warm = new WarmConnections(this);
  #yieldedAt = Number.NEGATIVE_INFINITY;
  #slot = -1;
  #settings: Cluster | null = null;
  #active = 0;
  #holders = 0;
  #makingRoom = false;
  /** Endpoints that have gone while requests were under way to them. */
  readonly #removed = new Set<EndpointState>();
  /** Endpoints that go when the cluster, which has gone, is no longer needed or comes back. */
  readonly #leaving = new Set<string>();

  constructor(context: Context, name: string) {
    this.#context = context;
    this.name = name;
    this.counters = new ClusterCounters(context.counters, name);
    this.#limits = new LimitWatch(context, name);
    this.#balance = new ClusterBalance(context);
  }

  /** Where the key of a request comes from; null: it needs none. */
  get hash(): RequestHash | null {
    return this.#balance.hash;
  }

  get connectTimeoutMs(): number {
    return this.#settings?.connectTimeoutMs ?? 0;
  }

  /** What new connections are made by; null: it was never open. */
  get settings(): Cluster | null {
    return this.#settings;
  }

  get idleTimeoutMs(): number {
    return this.#settings!.idleTimeoutMs;
  }

  get pendingTimeoutMs(): number {
    return (this.#settings ?? this.config)!.pendingTimeoutMs;
  }

  get pendingRequests(): number {
    return this.#pending.length;
  }

  /** Somebody waits, here or elsewhere, or a limit has been reached. */
  get needsTick(): boolean {
    return (
      this.#pending.length > 0 ||
      this.#limits.isReached ||
      this.#warm.isDue(this.#context.time) ||
      (this.connections > 0 && this.#othersWait())
    );
  }

  /** As its actor would say it. */
  get breaker(): string {
    return this.#limits.isReached ? 'open' : 'closed';
  }

  open(cluster: Cluster, slot: number): void {
    // The breaker's actor ended when the drain began, and the one that is there now has heard of nothing yet.
    if (this.isDraining) this.#limits.forget();
    const isSecuredAnew = JSON.stringify(this.#settings?.tls ?? null) !== JSON.stringify(cluster.tls);
    this.#settings = cluster;
    // What was opened without its client's address, or secured in another way, must not carry anybody now.
    if (cluster.proxyProtocol !== null || isSecuredAnew)
      for (const endpoint of this.endpoints.values()) this.#closeIdle(endpoint);
    this.#slot = slot;
    this.isOpen = true;
    this.isDraining = false;
    this.counters.register();
    this.retryBudget.configure(cluster.retryBudget);
    this.#warm.configure(isForAnybody(cluster) ? cluster.warmConnections : 0);
    this.#pump();
  }

  configure(config: Cluster | null): void {
    this.config = config;
    if (config === null) return;
    if (!this.#balance.configure(config) && this.#leaving.size === 0) return;
    this.#removeLeaving();
    this.rebalance();
  }

  /** Somebody who drains needs it, even if it goes. */
  hold(): void {
    this.#holders += 1;
  }

  letGo(): void {
    this.#holders -= 1;
    if (this.isDraining) this.#finishDraining();
  }

  drain(): void {
    this.isDraining = true;
    this.#finishDraining();
  }

  #finishDraining(): void {
    if (this.#holders > 0 || this.#pending.length > 0) return;
    for (const endpoint of this.endpoints.values()) this.#closeIdle(endpoint);
    this.#checkDrained();
  }

  #removeLeaving(): void {
    for (const id of this.#leaving) this.#removeNow(id);
    this.#leaving.clear();
  }

  /** Returns how many requests were cut. */
  shut(): number {
    const cut = this.#active;
    this.isDraining = true;
    for (let user = this.#pending.shift(); user !== null; user = this.#pending.shift()) {
      this.#gavePending();
      this.#tell(user, () => user.onUnavailable('draining'));
    }
    for (const endpoint of [...this.endpoints.values(), ...this.#removed]) {
      for (const connection of [...endpoint.connections]) {
        const user = connection.user;
        connection.close();
        if (user === null) continue;
        this.#tell(user, () => {
          user.onUpstreamFailed(connection, 'draining', true);
          user.onReadDone();
        });
      }
    }
    this.isOpen = false;
    this.#slot = -1;
    this.#limits.forget();
    this.#removeLeaving();
    this.rebalance();
    return cut;
  }

  putEndpoint(config: Endpoint): void {
    const id = endpointId(config);
    this.#leaving.delete(id);
    const known = this.endpoints.get(id);
    if (known === undefined) this.endpoints.set(id, new EndpointState(config));
    else known.config = config;
  }

  removeEndpoint(id: string): void {
    if (this.config === null && this.isOpen) this.#leaving.add(id);
    else this.#removeNow(id);
  }

  #removeNow(id: string): void {
    const endpoint = this.endpoints.get(id);
    if (endpoint === undefined) return;
    endpoint.removed = true;
    this.endpoints.delete(id);
    this.#closeIdle(endpoint);
    if (endpoint.connections.size > 0) this.#removed.add(endpoint);
  }

  eject(id: string, ejected: boolean): void {
    const endpoint = this.endpoints.get(id);
    if (endpoint === undefined || endpoint.ejected === ejected) return;
    endpoint.ejected = ejected;
    if (!ejected) {
      endpoint.failuresInARow = 0;
      endpoint.failing = false;
    }
    this.rebalance();
  }

  /** After endpoints have changed. */
  rebalance(): void {
    this.#balance.balancer.update([...this.endpoints.values()]);
    this.#warm.wake();
    this.#pump();
  }

  /**
   * A connection for a request: now, or null and `onUpstream` (or a failure) later, or why there is none. `fresh`
   * asks for a new connection where one can be made, after a reused one turned out to be dead.
   */
  acquire(user: UpstreamUser, fresh: boolean): UpstreamConnection | ResponseReason | null {
    if (this.#holders === 0) {
      if (this.config === null) return 'cluster_not_found';
      if (this.isDraining) return 'draining';
    }
    if (!this.isOpen) return this.config === null ? 'draining' : this.#wait(user);
    const endpoint = this.#balance.balancer.pick(user.tried, user.hashKey);
    if (endpoint === null) return 'no_healthy_endpoint';
    if (!fresh) {
      const connection = endpoint.idle.pop();
      if (connection !== undefined) return this.#assign(connection, user);
    }
    if (this.#takeConnection()) {
      this.#connect(endpoint, user);
      return null;
    }
    const other = this.#anyIdle();
    if (other !== null) {
      if (user.hashKey === NO_KEY) return this.#assign(other, user);
      if (this.#takePlaceOf(other)) {
        this.#connect(endpoint, user);
        return null;
      }
    }
    return this.#wait(user);
  }

  /** As `acquire` for somebody who may not wait for others, nor they for him; false where nothing is free. */
  acquireNow(user: UpstreamUser): UpstreamConnection | null | false {
    const isWanted = this.#holders > 0 || (this.config !== null && !this.isDraining);
    if (!isWanted || !this.isOpen || this.#pending.length > 0) return false;
    const endpoint = this.#balance.balancer.pick(null, NO_KEY);
    if (endpoint === null) return false;
    const connection = endpoint.idle.pop();
    if (connection !== undefined) return this.#assign(connection, user);
    const { limits } = this.#context;
    if (limits.othersWait(this.#slot)) return false;
    if (!limits.take(this.#slot, LIMIT_CONNECTIONS, this.#settings!.maxConnections)) return false;
    this.#connect(endpoint, user);
    return null;
  }

  /** Besides this one and those, an endpoint could be asked. */
  hasOther(tried: readonly EndpointState[] | null, endpoint: EndpointState): boolean {
    for (const other of this.endpoints.values())
      if (
        other !== endpoint &&
        other.config.ready &&
        other.weight > 0 &&
        other.usable &&
        !tried?.includes(other)
      )
        return true;
    return false;
  }

  /** At most half of the connections are made ahead of need, so that those who need one find one. */
  openWarm(endpoint: EndpointState): boolean {
    if (!this.isOpen || this.isDraining || this.#pending.length > 0) return false;
    const { limits } = this.#context;
    const most = Math.floor(this.#settings!.maxConnections / 2);
    if (limits.othersWait(this.#slot) || !limits.take(this.#slot, LIMIT_CONNECTIONS, most)) return false;
    this.#connect(endpoint, null);
    return true;
  }

  /** An idle connection that is kept although nobody has needed it for long. */
  keeps({ endpoint }: UpstreamConnection): boolean {
    if (endpoint.connections.size > this.#warm.count || !this.isOpen || this.isDraining) return false;
    return !endpoint.removed && endpoint.config.ready && endpoint.weight > 0;
  }

  /** The user no longer waits. */
  forget(user: UpstreamUser): void {
    if (user.connecting !== null) {
      // It is finished all the same and goes to the pool: it may be needed in a moment.
      user.connecting.user = null;
      user.connecting = null;
    } else if (this.#pending.remove(user)) this.#gavePending();
  }

  connected(connection: UpstreamConnection): void {
    const endpoint = connection.endpoint;
    endpoint.failuresInARow = 0;
    if (endpoint.failing) {
      endpoint.failing = false;
      this.#context.notify({ type: 'endpoint.recovered', cluster: this.name, endpoint: endpoint.id });
    }
    const user = connection.user;
    if (user === null) {
      this.#rest(connection);
      return;
    }
    user.connecting = null;
    this.#assign(connection, user);
    user.onUpstream(connection);
  }

  connectFailed(
    connection: UpstreamConnection,
    user: UpstreamUser | null,
    reason: string,
    timedOut: boolean,
  ): void {
    const endpoint = connection.endpoint;
    endpoint.failures += 1;
    if (!OWN_SHORTAGES.has(reason)) endpoint.failuresInARow += 1;
    endpoint.lastFailure = reason;
    this.counters.connectFailed(reason);
    if (this.#balance.balancer.isTimed)
      this.#balance.balancer.observe(endpoint, timedOut ? this.connectTimeoutMs : 0, 'failed');
    if (endpoint.failuresInARow >= FAILURES_BEFORE_NOTICE && !endpoint.failing && !endpoint.removed) {
      endpoint.failing = true;
      this.#context.notify({
        type: 'endpoint.failing',
        cluster: this.name,
        endpoint: endpoint.id,
        reason,
        failures: endpoint.failuresInARow,
      });
    }
    if (user === null) return;
    user.connecting = null;
    user.onConnectFailed(endpoint, timedOut);
  }

  answered(connection: UpstreamConnection, status: number): void {
    const milliseconds = this.#context.time - connection.sentAt;
    this.counters.answered(status, milliseconds);
    const { balancer } = this.#balance;
    if (balancer.isTimed) balancer.observe(connection.endpoint, milliseconds, 'answered');
  }

  /** The connection broke, or its answer did not come in time; how long one went on before it broke is no latency. */
  failed(connection: UpstreamConnection): void {
    const { balancer } = this.#balance;
    const waited = connection.hasAnswer ? 0 : this.#context.time - connection.sentAt;
    if (balancer.isTimed) balancer.observe(connection.endpoint, waited, 'failed');
  }

  /** A request has ended and its connection can take another. */
  release(connection: UpstreamConnection): void {
    this.#ended(connection);
    this.#rest(connection);
    if (this.isDraining) this.#checkDrained();
  }

  /** Called once for each connection, by itself. */
  closed(connection: UpstreamConnection): void {
    const endpoint = connection.endpoint;
    if (!endpoint.connections.delete(connection)) return;
    if (endpoint.connections.size === 0) this.#removed.delete(endpoint);
    if (connection.busy) this.#ended(connection);
    const at = endpoint.idle.indexOf(connection);
    if (at !== -1) endpoint.idle.splice(at, 1);
    this.connections -= 1;
    this.counters.closed();
    this.#context.limits.give(connection.slot, LIMIT_CONNECTIONS);
    if (this.#warm.count > 0)
      this.#warm.closed(connection, this.#context.time, this.#context.random.fraction());
    if (!this.#makingRoom) this.#pump();
    if (this.isDraining) this.#checkDrained();
  }

  /** Now and then: slots that other workers have given back, and connections that others wait for. */
  tick(): void {
    if (this.#pending.length > 0) this.#pump();
    else if (this.#othersWait()) this.#anyIdle()?.close();
    if (this.#warm.isDue(this.#context.time)) this.#warm.tick(this.#context.time);
    // Here alone: a limit that is reached and left with each request makes two events a tick, not two a request.
    if (this.#limits.isReached && this.#pending.length === 0) this.#limits.look(this.#slot, this.#settings!);
  }

  #assign(connection: UpstreamConnection, user: UpstreamUser): UpstreamConnection {
    connection.assign(user);
    connection.busy = true;
    connection.endpoint.active += 1;
    connection.endpoint.requests += 1;
    this.#active += 1;
    return connection;
  }

  #ended(connection: UpstreamConnection): void {
    if (!connection.busy) return;
    connection.busy = false;
    const { balancer } = this.#balance;
    if (balancer.isTimed && !connection.hasAnswer)
      balancer.observe(connection.endpoint, this.#context.time - connection.sentAt, 'given-up');
    connection.endpoint.active -= 1;
    this.#active -= 1;
  }

  #rest(connection: UpstreamConnection): void {
    const endpoint = connection.endpoint;
    const last = this.isDraining && this.#holders === 0 && this.#pending.length === 0;
    const isPersonal = connection.isPersonal || this.#settings?.proxyProtocol != null;
    const settings = this.#settings!;
    const isWorn =
      settings.maxRequestsPerConnection > 0 && connection.requests >= settings.maxRequestsPerConnection;
    const isUnwanted = endpoint.removed || last || !endpoint.config.ready || isWorn || isPersonal;
    if (isUnwanted || this.#yields()) {
      connection.close();
      return;
    }
    const user = this.#takesAny(this.#pending.first) ? this.#pending.shift() : null;
    if (user !== null) {
      this.#gavePending();
      connection.reused = true;
      this.#assign(connection, user);
      this.#tell(user, () => user.onUpstream(connection));
      return;
    }
    const isSpare = this.#pending.length === 0;
    if (isSpare && endpoint.idle.length >= Math.max(settings.maxIdleConnections, this.#warm.count)) {
      connection.close();
      return;
    }
    endpoint.idle.push(connection);
    connection.rest(settings.idleTimeoutMs);
    if (this.#pending.length > 0) this.#pump();
  }

  #takesAny(user: UpstreamUser | null): boolean {
    return user === null || user.hashKey === NO_KEY;
  }

  /** A connection to another endpoint than its own is of no use to a request with a key, but its place is. */
  #takePlaceOf(other: UpstreamConnection): boolean {
    this.#makingRoom = true;
    try {
      other.close();
    } finally {
      this.#makingRoom = false;
    }
    return this.#takeConnection();
  }

  #connect(endpoint: EndpointState, user: UpstreamUser | null): void {
    const slot = this.#slot;
    let connection: UpstreamConnection;
    try {
      connection = new UpstreamConnection(this.#context, this, endpoint, user, slot);
    } catch (error) {
      this.#context.limits.give(slot, LIMIT_CONNECTIONS);
      throw error;
    }
    this.connections += 1;
    this.counters.opened();
    endpoint.connections.add(connection);
    if (user !== null) user.connecting = connection;
  }

  /** A free connection is given up where requests of other workers wait: at once, or now and then where ours do too. */
  #yields(): boolean {
    if (!this.#othersWait()) return false;
    if (this.#pending.length === 0) return true;
    if (this.#context.time < this.#yieldedAt + YIELD_EVERY_MS) return false;
    this.#yieldedAt = this.#context.time;
    return true;
  }

  #takeConnection(): boolean {
    const most = this.#settings!.maxConnections;
    const isYielded = this.#context.time < this.#yieldedAt + YIELD_MS;
    if (isYielded && this.#context.limits.othersWait(this.#slot)) return false;
    if (this.#context.limits.take(this.#slot, LIMIT_CONNECTIONS, most)) return true;
    this.#limits.reach('maxConnections');
    return false;
  }

  #wait(user: UpstreamUser): ResponseReason | null {
    if (this.#slot === -1) {
      // Committed, but its actor has not opened it yet; that is a matter of milliseconds.
      if (this.#pending.length >= this.config!.maxPendingRequests) return 'pending_limit';
    } else if (!this.#context.limits.take(this.#slot, LIMIT_PENDING, this.#settings!.maxPendingRequests)) {
      // Where nobody may wait, it is the connections that have run out.
      if (this.#settings!.maxPendingRequests === 0) return 'connection_limit';
      this.#limits.reach('maxPendingRequests');
      return 'pending_limit';
    }
    this.#pending.push(user, this.#slot);
    this.counters.pending(this.#pending.length);
    return null;
  }

  #gavePending(): void {
    if (this.#pending.lastSlot !== -1) this.#context.limits.give(this.#pending.lastSlot, LIMIT_PENDING);
    this.counters.pending(this.#pending.length);
  }

  /** Connections for those who wait, as far as there are any. */
  #pump(): void {
    while (this.#pending.length > 0 && this.isOpen) {
      const { tried, hashKey } = this.#pending.first!;
      const target = hashKey === NO_KEY ? null : this.#balance.balancer.pick(tried, hashKey);
      const idle = hashKey === NO_KEY ? this.#anyIdle() : (target?.idle.pop() ?? null);
      if (idle !== null) {
        const user = this.#pending.shift()!;
        this.#gavePending();
        this.#assign(idle, user);
        this.#tell(user, () => user.onUpstream(idle));
        continue;
      }
      const endpoint = target ?? this.#balance.balancer.pick(null, hashKey);
      if (endpoint === null) {
        const user = this.#pending.shift()!;
        this.#gavePending();
        this.#tell(user, () => user.onUnavailable('no_healthy_endpoint'));
        continue;
      }
      if (!this.#takeConnection()) {
        const other = hashKey === NO_KEY ? null : this.#anyIdle();
        if (other === null || !this.#takePlaceOf(other)) return;
      }
      const user = this.#pending.shift()!;
      this.#gavePending();
      this.#tell(user, () => this.#connect(endpoint, user));
    }
  }

  /** On behalf of another request than the one that runs now: what goes wrong there must not harm this one. */
  #tell(user: UpstreamUser, run: () => void): void {
    try {
      run();
    } catch (error) {
      user.onFault(error);
    }
  }

  #anyIdle(): UpstreamConnection | null {
    let ejected: EndpointState | null = null;
    for (const endpoint of this.endpoints.values()) {
      if (endpoint.idle.length === 0 || !endpoint.config.ready || endpoint.weight === 0) continue;
      if (!endpoint.ejected) return endpoint.idle.pop()!;
      ejected = endpoint;
    }
    return ejected === null ? null : ejected.idle.pop()!;
  }

  #othersWait(): boolean {
    return (
      this.#slot !== -1 &&
      this.#context.limits.othersWait(this.#slot) &&
      !this.#context.limits.connectionsLeft(this.#slot, this.#settings!.maxConnections)
    );
  }

  #closeIdle({ idle }: EndpointState): void {
    for (const connection of [...idle]) connection.close();
  }

  /** While no request is under way: a connection is being made for one. */
  #isAwaited(): boolean {
    const endpoints = [...this.endpoints.values(), ...this.#removed];
    return endpoints.some(({ connections }) => [...connections].some(({ user }) => user !== null));
  }

  #checkDrained(): void {
    if (!this.isDraining || this.#active > 0 || this.#pending.length > 0 || !this.isOpen) return;
    if (this.#holders > 0 || this.#isAwaited()) return;
    this.isOpen = false;
    this.#context.notify({ type: 'pool.drained', cluster: this.name });
  }
}
