import type { ResponseReason } from '../../model/response-reason.ts';
import type { SocketStream } from '../../os/socket-stream.ts';
import { isWebSocket } from '../../wire/websocket/opening-handshake.ts';
import type { Balancer } from '../balance/balancer.ts';
import { NO_KEY } from '../balance/balancer.ts';
import type { Context } from '../context.ts';
import type { ClusterPool } from './cluster-pool.ts';
import { Dial, hostOf } from './dial.ts';
import type { EndpointState } from './endpoint-state.ts';
import { Http2UpstreamConnection } from './http2-connection.ts';
import type { PendingQueue } from './pending-queue.ts';
import type { Upstream } from './upstream.ts';
import { UpstreamConnection } from './upstream-connection.ts';
import type { UpstreamUser } from './upstream-user.ts';

/** What a request that asks to be switched to another protocol can be sent by. */
function suits(line: Http2UpstreamConnection, user: UpstreamUser): boolean {
  if (line.hostname !== '' && line.hostname !== hostOf(user, line.endpoint)) return false;
  return user.askedUpgrade === '' || line.takesUpgrade(user.askedUpgrade);
}

/**
 * How the requests of one worker share connections to a cluster: many streams on one connection, and few connections.
 *
 *     a line with room ──> a dial with room (waits with others) ──> a new dial ──> whatever else is free ──> false
 *
 * A line is an HTTP/2 connection, a dial one that is being made. By ALPN a dial may turn out to be HTTP/1.1 and serve
 * one request at a time; then its endpoint's next dials are made for one request each.
 */
export class SharedConnections {
  readonly pool: ClusterPool;
  readonly #context: Context;

  constructor(context: Context, pool: ClusterPool) {
    this.#context = context;
    this.pool = pool;
  }

  /**
   * What works for the request: now, or null and `onUpstream` later, or why nothing can; false: nothing is free, and
   * no more connections may be made. `fresh`: as few as possible of those that are there are to be trusted.
   */
  take(
    endpoint: EndpointState,
    user: UpstreamUser,
    fresh: boolean,
  ): Upstream | ResponseReason | null | false {
    const place = fresh ? this.#dialing(endpoint, user) : this.takeOpen(endpoint, user);
    if (place !== false) return place;
    if (user.askedUpgrade !== '' && !this.#mayUpgrade(endpoint, user)) return 'upstream_protocol_error';
    if (this.pool.takeConnection()) {
      this.dial(endpoint, user);
      return null;
    }
    const open = fresh ? this.takeOpen(endpoint, user) : false;
    return open === false ? this.#elsewhere(endpoint, user) : open;
  }

  /** The same where no connection may be made for it. */
  takeOpen(endpoint: EndpointState, user: UpstreamUser): Upstream | null | false {
    const { lines } = endpoint;
    for (let index = 0; index < lines.length; index += 1) {
      const line = lines[index]!;
      if (line.hasRoom && suits(line, user)) return line.open(user);
    }
    return this.#dialing(endpoint, user);
  }

  /** Its place in the limits has been taken. */
  dial(endpoint: EndpointState, user: UpstreamUser | null): void {
    const { pool } = this;
    const { settings, slot } = pool;
    const isHttp1 =
      user !== null && user.askedUpgrade !== '' && settings.protocol === 'Auto' && endpoint.lacksConnect;
    const dial = pool.opening(slot, () => new Dial(this.#context, this, endpoint, slot, isHttp1));
    endpoint.dials.push(dial);
    if (user !== null) dial.carry(user);
  }

  /** Connections for those who wait, as far as there are any. */
  pump(pending: PendingQueue, balancer: Balancer<EndpointState>): void {
    const { pool } = this;
    while (pending.length > 0 && pool.isOpen) {
      const user = pending.first!;
      const endpoint = balancer.pick(user.tried, user.hashKey) ?? balancer.pick(null, user.hashKey);
      let place: Upstream | ResponseReason | null | false = 'no_healthy_endpoint';
      let fault: unknown = null;
      try {
        if (endpoint !== null) place = this.take(endpoint, user, false);
      } catch (error) {
        fault = error;
      }
      if (place === false) return;
      pending.remove(user);
      if (fault !== null) user.onFault(fault);
      else if (place !== null) pool.tell(user, () => give(user, place));
    }
  }

  /** A request waited for a connection that turned out to be of no use to it. */
  #again(user: UpstreamUser): void {
    const place = this.pool.acquire(user, false);
    if (place !== null) give(user, place);
    else if (user.connecting === null) user.onWaiting();
  }

  /** One that is used by nobody, or null. */
  anyIdle(): Http2UpstreamConnection | null {
    for (const { lines } of this.pool.endpoints.values())
      for (const line of lines) if (line.active === 0) return line;
    return null;
  }

  // What becomes of dials.

  /** A connected stream on which HTTP/2 is to be spoken; `dial.ready` or `dial.fail` follows. */
  begin(dial: Dial, stream: SocketStream): Http2UpstreamConnection {
    return new Http2UpstreamConnection(this.#context, this, dial, stream);
  }

  established(dial: Dial, line: Http2UpstreamConnection): void {
    const { endpoint } = dial;
    endpoint.isHttp1 = false;
    endpoint.lacksConnect = !line.takesConnect;
    endpoint.lines.push(line);
    this.pool.connectedShared(endpoint);
    for (const user of dial.unload())
      this.pool.tell(user, () => {
        if (line.hasRoom && suits(line, user)) give(user, line.open(user));
        else this.#again(user);
      });
    if (dial.isOutdated) line.retire();
    else if (line.active === 0) this.#rest(line);
    this.pool.roomier();
  }

  agreedOnHttp1(dial: Dial, stream: SocketStream): void {
    const { endpoint, slot } = dial;
    if (!dial.isHttp1) endpoint.isHttp1 = true;
    const [first = null, ...others] = dial.unload();
    const connection = new UpstreamConnection(this.#context, this.pool, endpoint, first, slot, stream);
    endpoint.connections.add(connection);
    if (first !== null) first.connecting = connection;
    connection.isPersonal = this.pool.proxyProtocol !== null || dial.hostname !== '' || dial.isOutdated;
    if (first === null) this.pool.connected(connection);
    else this.pool.tell(first, () => this.pool.connected(connection));
    for (const user of others) this.pool.tell(user, () => this.#again(user));
  }

  /** `isCounted`: its place in the limits is still its own. */
  failed(dial: Dial, reason: string, timedOut: boolean, isCounted = true): void {
    const users = dial.unload();
    if (isCounted) this.pool.gone(dial);
    this.pool.connectFailed(dial.endpoint, users, reason, timedOut);
  }

  abandoned(dial: Dial): void {
    const users = dial.unload();
    this.pool.gone(dial);
    for (const user of users) this.pool.tell(user, () => user.onUnavailable('draining'));
  }

  // What becomes of lines.

  /** A stream of it has ended. */
  ended(line: Http2UpstreamConnection): void {
    if (line.isClosed) {
      this.pool.roomier();
      return;
    }
    // Where requests of other workers wait, they get it when those that are on it have ended.
    if (!line.isRetired && (line.isWorn || this.pool.yields())) line.retire();
    if (line.active === 0) this.#rest(line);
    this.pool.roomier();
  }

  closed(line: Http2UpstreamConnection): void {
    const { lines } = line.endpoint;
    const at = lines.indexOf(line);
    if (at === -1) return;
    lines.splice(at, 1);
    this.pool.gone(line);
  }

  #rest(line: Http2UpstreamConnection): void {
    const { endpoint } = line;
    const isUnwanted = line.isRetired || endpoint.removed || this.pool.isLast || !endpoint.config.ready;
    if (isUnwanted || this.#isSpare(line)) line.close();
    else line.rest();
  }

  #isSpare({ endpoint }: Http2UpstreamConnection): boolean {
    if (this.pool.pendingRequests > 0) return false;
    let unused = endpoint.idle.length;
    for (const { active } of endpoint.lines) if (active === 0) unused += 1;
    return unused > this.pool.mostIdle;
  }

  /** Rides on a dial. */
  #dialing(endpoint: EndpointState, user: UpstreamUser): null | false {
    for (const dial of endpoint.dials) {
      const most = dial.isHttp1 || endpoint.isHttp1 ? 1 : this.pool.settings.maxConcurrentStreams;
      if (dial.riders.length >= most) continue;
      if (dial.hostname !== '' && dial.hostname !== hostOf(user, endpoint)) continue;
      if (user.askedUpgrade !== '' && !dial.isHttp1 && endpoint.lacksConnect) continue;
      dial.carry(user);
      return null;
    }
    return false;
  }

  #mayUpgrade(endpoint: EndpointState, user: UpstreamUser): boolean {
    if (this.pool.settings.protocol !== 'HTTP2') return true;
    return isWebSocket(user.askedUpgrade) && !endpoint.lacksConnect;
  }

  /** Where the limits leave no room for another connection. */
  #elsewhere(endpoint: EndpointState, user: UpstreamUser): Upstream | null | false {
    const { pool } = this;
    if (user.hashKey === NO_KEY) {
      for (const other of pool.endpoints.values()) {
        if (other === endpoint || !other.config.ready || other.weight === 0 || other.ejected) continue;
        const place = this.takeOpen(other, user);
        if (place !== false) return place;
      }
      return pool.takeIdle(user);
    }
    const other = this.#idleOfOthers(endpoint) ?? pool.idleConnection();
    if (other === null || !pool.takePlaceOf(other)) return false;
    this.dial(endpoint, user);
    return null;
  }

  #idleOfOthers(endpoint: EndpointState): Http2UpstreamConnection | null {
    const line = this.anyIdle();
    return line?.endpoint === endpoint ? null : line;
  }
}

function give(user: UpstreamUser, place: Upstream | ResponseReason): void {
  if (typeof place === 'string') {
    user.onUnavailable(place);
    return;
  }
  try {
    user.onUpstream(place);
  } catch (error) {
    // It may not have got hold of what it would have to give up.
    if (place.user === user) place.close();
    throw error;
  }
}
