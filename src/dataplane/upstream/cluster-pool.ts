import type { Cluster } from '../../model/cluster.ts';
import type { Endpoint } from '../../model/endpoint.ts';
import type { ResponseReason } from '../../model/response-reason.ts';
import { NO_KEY } from '../balance/balancer.ts';
import { ClusterBalance } from '../balance/cluster-balance.ts';
import type { RequestHash } from '../balance/request-hash.ts';
import type { Context } from '../context.ts';
import { ClusterCounters } from './cluster-counters.ts';
import { ConnectionFailures } from './connection-failures.ts';
import { isForAnybody, isSpokenToAlike, mayShare } from './connection-kind.ts';
import { ConnectionShare } from './connection-share.ts';
import { EndpointSet } from './endpoint-set.ts';
import type { EndpointState } from './endpoint-state.ts';
import { LimitWatch } from './limit-watch.ts';
import { PendingQueue } from './pending-queue.ts';
import { RetryBudget } from './retry-budget.ts';
import { SharedConnections } from './shared-connections.ts';
import type { Upstream } from './upstream.ts';
import { UpstreamConnection } from './upstream-connection.ts';
import type { UpstreamUser } from './upstream-user.ts';
import type { ClosedConnection } from './warm-connections.ts';
import { WarmConnections } from './warm-connections.ts';

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
  readonly endpoints: ReadonlyMap<string, EndpointState>;
  readonly counters: ClusterCounters;
  readonly retryBudget = new RetryBudget();
  readonly #context: Context;
  readonly #balance: ClusterBalance<EndpointState>;
  readonly #endpoints = new EndpointSet();
  readonly #pending: PendingQueue;
  readonly #limits: LimitWatch;
  readonly #failures: ConnectionFailures;
  readonly #share: ConnectionShare;
  /** Null where each connection works for one request at a time, and begins without a handshake. */
  #shared: SharedConnections | null = null;
  readonly #warm = new WarmConnections(this);
  #settings: Cluster | null = null;
  #active = 0;
  #holders = 0;
  #makingRoom = false;

  constructor(context: Context, name: string) {
    this.#context = context;
    this.name = name;
    this.counters = new ClusterCounters(context.counters, name);
    this.#limits = new LimitWatch(context, name);
    this.#failures = new ConnectionFailures(context, name);
    this.#share = new ConnectionShare(context, this.#limits);
    this.#pending = new PendingQueue(context, this.counters, this.#limits);
    this.endpoints = this.#endpoints.inUse;
    this.#balance = new ClusterBalance(context);
  }

  /** Where the key of a request comes from; null: it needs none. */
  get hash(): RequestHash | null {
    return this.#balance.hash;
  }

  get connectTimeoutMs(): number {
    return this.#settings?.connectTimeoutMs ?? 0;
  }

  /** Each new connection begins with a header of this version, and serves one request. */
  get proxyProtocol(): Cluster['proxyProtocol'] {
    return this.#settings?.proxyProtocol ?? null;
  }

  get idleTimeoutMs(): number {
    return this.#settings!.idleTimeoutMs;
  }

  /** In the shared limits. */
  get slot(): number {
    return this.#share.slot;
  }

  /** Unused connections that each endpoint keeps at most. */
  get mostIdle(): number {
    return Math.max(this.#settings!.maxIdleConnections, this.#warm.count);
  }

  get settings(): Cluster {
    return this.#settings!;
  }

  /** Its backends may be asked in HTTP/2. */
  get isShared(): boolean {
    return this.#shared !== null;
  }

  /** Nobody will ask for a connection any more. */
  get isLast(): boolean {
    return this.isDraining && this.#holders === 0 && this.#pending.length === 0;
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
      (this.connections > 0 && this.#share.othersWait)
    );
  }

  /** As its actor would say it. */
  get breaker(): string {
    return this.#limits.isReached ? 'open' : 'closed';
  }

  open(cluster: Cluster, slot: number): void {
    // The breaker's actor ended when the drain began, and the one that is there now has heard of nothing yet.
    if (this.isDraining) this.#limits.forget();
    const before = this.#settings;
    this.#settings = cluster;
    const isAlike = before === null || isSpokenToAlike(before, cluster);
    if (!isAlike) for (const endpoint of this.#endpoints.all()) endpoint.forgetProtocol();
    // What was opened without its client's address, or secured in another way, must not carry anybody now.
    if (cluster.proxyProtocol !== null || !isAlike) this.#endpoints.closeIdle();
    if (!mayShare(cluster)) this.#shared = null;
    else this.#shared ??= new SharedConnections(this.#context, this);
    this.#share.slot = slot;
    this.#share.most = cluster.maxConnections;
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
    if (!this.#balance.configure(config) && !this.#endpoints.isLeaving) return;
    this.#endpoints.removeLeaving();
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
    this.#endpoints.closeIdle();
    this.#checkDrained();
  }

  /** Returns how many requests were cut. */
  shut(): number {
    const cut = this.#active;
    this.isDraining = true;
    for (let user = this.#pending.shift(); user !== null; user = this.#pending.shift())
      this.tell(user, () => user.onUnavailable('draining'));
    for (const endpoint of this.#endpoints.all()) {
      for (const connection of [...endpoint.connections]) {
        const user = connection.user;
        connection.close();
        if (user === null) continue;
        this.tell(user, () => {
          user.onUpstreamFailed(connection, 'draining', true);
          user.onReadDone();
        });
      }
      for (const shared of [...endpoint.dials, ...endpoint.lines]) shared.shut();
    }
    this.isOpen = false;
    this.#share.slot = -1;
    this.#limits.forget();
    this.#endpoints.removeLeaving();
    this.rebalance();
    return cut;
  }

  putEndpoint(config: Endpoint): void {
    this.#endpoints.put(config);
  }

  removeEndpoint(id: string): void {
    if (this.config === null && this.isOpen) this.#endpoints.removeLater(id);
    else this.#endpoints.remove(id);
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
  acquire(user: UpstreamUser, fresh: boolean): Upstream | ResponseReason | null {
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
    if (this.#shared !== null) {
      const place = this.#shared.take(endpoint, user, fresh);
      return place === false ? this.#wait(user) : place;
    }
    if (this.takeConnection()) {
      this.#connect(endpoint, user);
      return null;
    }
    const other = this.idleConnection();
    if (other !== null) {
      if (user.hashKey === NO_KEY) return this.#assign(other, user);
      if (this.takePlaceOf(other)) {
        this.#connect(endpoint, user);
        return null;
      }
    }
    return this.#wait(user);
  }

  /** As `acquire` for somebody who may not wait for others, nor they for him; false where nothing is free. */
  acquireNow(user: UpstreamUser): Upstream | null | false {
    const isWanted = this.#holders > 0 || (this.config !== null && !this.isDraining);
    if (!isWanted || !this.isOpen || this.#pending.length > 0) return false;
    const endpoint = this.#balance.balancer.pick(null, NO_KEY);
    if (endpoint === null) return false;
    const connection = endpoint.idle.pop();
    if (connection !== undefined) return this.#assign(connection, user);
    const place = this.#shared === null ? false : this.#shared.takeOpen(endpoint, user);
    if (place !== false) return place;
    if (!this.#share.takeSpare(this.#settings!.maxConnections)) return false;
    if (this.#shared === null) this.#connect(endpoint, user);
    else this.#shared.dial(endpoint, user);
    return null;
  }

  /** Besides this one and those, an endpoint could be asked. */
  hasOther(tried: readonly EndpointState[] | null, endpoint: EndpointState): boolean {
    return this.#endpoints.hasOther(tried, endpoint);
  }

  /** At most half of the connections are made ahead of need, so that those who need one find one. */
  openWarm(endpoint: EndpointState): boolean {
    if (!this.isOpen || this.isDraining || this.#pending.length > 0) return false;
    if (!this.#share.takeSpare(Math.floor(this.#settings!.maxConnections / 2))) return false;
    if (this.#shared === null) this.#connect(endpoint, null);
    else this.#shared.dial(endpoint, null);
    return true;
  }

  /** An idle connection that is kept although nobody has needed it for long. */
  keeps({ endpoint }: ClosedConnection): boolean {
    if (endpoint.open > this.#warm.count || !this.isOpen || this.isDraining) return false;
    return !endpoint.removed && endpoint.config.ready && endpoint.weight > 0;
  }

  /** The user no longer waits. */
  forget(user: UpstreamUser): void {
    if (user.connecting !== null) {
      // It is finished all the same and goes to the pool: it may be needed in a moment.
      user.connecting.leave(user);
      user.connecting = null;
    } else this.#pending.remove(user);
  }

  connected(connection: UpstreamConnection): void {
    this.#failures.connected(connection.endpoint);
    const user = connection.user;
    if (user === null) {
      this.#rest(connection);
      return;
    }
    user.connecting = null;
    this.#assign(connection, user);
    user.onUpstream(connection);
  }

  /** A connection for many requests has come about. */
  connectedShared(endpoint: EndpointState): void {
    this.#failures.connected(endpoint);
  }

  connectFailed(
    endpoint: EndpointState,
    users: readonly (UpstreamUser | null)[],
    reason: string,
    timedOut: boolean,
  ): void {
    this.counters.connectFailed(reason);
    const { balancer } = this.#balance;
    if (balancer.isTimed) balancer.observe(endpoint, timedOut ? this.connectTimeoutMs : 0, 'failed');
    this.#failures.failed(endpoint, reason);
    for (const user of users) {
      if (user === null) continue;
      user.connecting = null;
      if (users.length === 1) user.onConnectFailed(endpoint, timedOut);
      else this.tell(user, () => user.onConnectFailed(endpoint, timedOut));
    }
  }

  answered(connection: Upstream, status: number): void {
    const milliseconds = this.#context.time - connection.sentAt;
    this.counters.answered(status, milliseconds);
    const { balancer } = this.#balance;
    if (balancer.isTimed) balancer.observe(connection.endpoint, milliseconds, 'answered');
  }

  /** The connection broke, or its answer did not come in time; how long one went on before it broke is no latency. */
  failed(connection: Upstream): void {
    const { balancer } = this.#balance;
    const waited = connection.hasAnswer ? 0 : this.#context.time - connection.sentAt;
    if (balancer.isTimed) balancer.observe(connection.endpoint, waited, 'failed');
  }

  /** A request has ended and its connection can take another. */
  release(connection: UpstreamConnection): void {
    this.ended(connection);
    this.#rest(connection);
    if (this.isDraining) this.#checkDrained();
  }

  /** Called once for each connection, by itself. */
  closed(connection: UpstreamConnection): void {
    const endpoint = connection.endpoint;
    if (!endpoint.connections.delete(connection)) return;
    if (connection.busy) this.ended(connection);
    const at = endpoint.idle.indexOf(connection);
    if (at !== -1) endpoint.idle.splice(at, 1);
    this.gone(connection);
  }

  /** A connection of any kind is there no longer. */
  gone(connection: ClosedConnection): void {
    this.#endpoints.looked(connection.endpoint);
    this.connections -= 1;
    this.counters.closed();
    this.#share.give(connection.slot);
    if (this.#warm.count > 0)
      this.#warm.closed(connection, this.#context.time, this.#context.random.fraction());
    if (!this.#makingRoom) this.#pump();
    if (this.isDraining) this.#checkDrained();
  }

  /** A connection for many requests has room for one more. */
  roomier(): void {
    if (this.#pending.length > 0) this.#pump();
    if (this.isDraining) this.#checkDrained();
  }

  /** Now and then: slots that other workers have given back, and connections that others wait for. */
  tick(): void {
    if (this.#pending.length > 0) this.#pump();
    else if (this.#share.othersWait) (this.idleConnection() ?? this.#shared?.anyIdle())?.close();
    if (this.#warm.isDue(this.#context.time)) this.#warm.tick(this.#context.time);
    // Here alone: a limit that is reached and left with each request makes two events a tick, not two a request.
    if (this.#limits.isReached && this.#pending.length === 0) this.#limits.look(this.slot, this.#settings!);
  }

  #assign(connection: UpstreamConnection, user: UpstreamUser): UpstreamConnection {
    connection.assign(user);
    this.began(connection);
    return connection;
  }

  /** Works for a request from now on. */
  began(upstream: Upstream): void {
    upstream.busy = true;
    upstream.endpoint.active += 1;
    upstream.endpoint.requests += 1;
    this.#active += 1;
  }

  ended(upstream: Upstream): void {
    if (!upstream.busy) return;
    upstream.busy = false;
    const { balancer } = this.#balance;
    if (balancer.isTimed && !upstream.hasAnswer)
      balancer.observe(upstream.endpoint, this.#context.time - upstream.sentAt, 'given-up');
    upstream.endpoint.active -= 1;
    this.#active -= 1;
  }

  #rest(connection: UpstreamConnection): void {
    const endpoint = connection.endpoint;
    const isPersonal = connection.isPersonal || this.proxyProtocol !== null;
    const settings = this.#settings!;
    const isWorn =
      settings.maxRequestsPerConnection > 0 && connection.requests >= settings.maxRequestsPerConnection;
    const isUnwanted = endpoint.removed || this.isLast || !endpoint.config.ready || isWorn || isPersonal;
    if (isUnwanted || this.yields()) {
      connection.close();
      return;
    }
    const user = this.#takesAny(this.#pending.first) ? this.#pending.shift() : null;
    if (user !== null) {
      connection.reused = true;
      this.#assign(connection, user);
      this.tell(user, () => user.onUpstream(connection));
      return;
    }
    const isSpare = this.#pending.length === 0;
    if (isSpare && endpoint.idle.length >= this.mostIdle) {
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
  takePlaceOf(other: { close(): void }): boolean {
    this.#makingRoom = true;
    try {
      other.close();
    } finally {
      this.#makingRoom = false;
    }
    return this.takeConnection();
  }

  #connect(endpoint: EndpointState, user: UpstreamUser | null): void {
    const { slot } = this;
    const connection = this.opening(
      slot,
      () => new UpstreamConnection(this.#context, this, endpoint, user, slot, null),
    );
    endpoint.connections.add(connection);
    if (user !== null) user.connecting = connection;
  }

  /** Counts what `make` begins, in a place that has been taken before; that is given back where it throws. */
  opening<T>(slot: number, make: () => T): T {
    let connection: T;
    try {
      connection = make();
    } catch (error) {
      this.#share.give(slot);
      throw error;
    }
    this.connections += 1;
    this.counters.opened();
    return connection;
  }

  /** A free connection is given up where requests of other workers wait. */
  yields(): boolean {
    return this.#share.yields(this.#pending.length > 0);
  }

  takeConnection(): boolean {
    return this.#share.take();
  }

  #wait(user: UpstreamUser): ResponseReason | null {
    return this.#pending.wait(user, this.slot, this.slot === -1 ? this.config! : this.#settings!);
  }

  /** Connections for those who wait, as far as there are any. */
  #pump(): void {
    if (this.#shared !== null) {
      this.#shared.pump(this.#pending, this.#balance.balancer);
      return;
    }
    while (this.#pending.length > 0 && this.isOpen) {
      const { tried, hashKey } = this.#pending.first!;
      const target = hashKey === NO_KEY ? null : this.#balance.balancer.pick(tried, hashKey);
      const idle = hashKey === NO_KEY ? this.idleConnection() : (target?.idle.pop() ?? null);
      if (idle !== null) {
        const user = this.#pending.shift()!;
        this.#assign(idle, user);
        this.tell(user, () => user.onUpstream(idle));
        continue;
      }
      const endpoint = target ?? this.#balance.balancer.pick(null, hashKey);
      if (endpoint === null) {
        const user = this.#pending.shift()!;
        this.tell(user, () => user.onUnavailable('no_healthy_endpoint'));
        continue;
      }
      if (!this.takeConnection()) {
        const other = hashKey === NO_KEY ? null : this.idleConnection();
        if (other === null || !this.takePlaceOf(other)) return;
      }
      const user = this.#pending.shift()!;
      this.tell(user, () => this.#connect(endpoint, user));
    }
  }

  /** On behalf of another request than the one that runs now: what goes wrong there must not harm this one. */
  tell(user: UpstreamUser, run: () => void): void {
    try {
      run();
    } catch (error) {
      user.onFault(error);
    }
  }

  /** An unused connection to whatever endpoint for a request to which it does not matter. */
  takeIdle(user: UpstreamUser): Upstream | false {
    const idle = this.idleConnection();
    return idle === null ? false : this.#assign(idle, user);
  }

  /** Taken out of its endpoint's list. */
  idleConnection(): UpstreamConnection | null {
    let ejected: EndpointState | null = null;
    for (const endpoint of this.endpoints.values()) {
      if (endpoint.idle.length === 0 || !endpoint.config.ready || endpoint.weight === 0) continue;
      if (!endpoint.ejected) return endpoint.idle.pop()!;
      ejected = endpoint;
    }
    return ejected === null ? null : ejected.idle.pop()!;
  }

  /** While no request is under way: a connection is being made for one. */
  #isAwaited(): boolean {
    return this.#endpoints
      .all()
      .some(
        ({ connections, dials }) =>
          [...connections].some(({ user }) => user !== null) || dials.some(({ riders }) => riders.length > 0),
      );
  }

  #checkDrained(): void {
    if (!this.isDraining || this.#active > 0 || this.#pending.length > 0 || !this.isOpen) return;
    if (this.#holders > 0 || this.#isAwaited()) return;
    this.isOpen = false;
    this.#context.notify({ type: 'pool.drained', cluster: this.name });
  }
}
