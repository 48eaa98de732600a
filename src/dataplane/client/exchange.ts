import type { ResponseReason } from '../../model/response-reason.ts';
import { RESPONSE_REASONS } from '../../model/response-reason.ts';
import type { SocketStream } from '../../os/socket-stream.ts';
import type { Fault } from '../../wire/http1/fault.ts';
import { RequestTarget } from '../../wire/http1/target.ts';
import type { MessageHead } from '../../wire/message/message-head.ts';
import type { ProxiedConnection } from '../../wire/proxy-protocol/header.ts';
import { WEBSOCKET } from '../../wire/websocket/opening-handshake.ts';
import { NO_KEY } from '../balance/balancer.ts';
import type { Context } from '../context.ts';
import type { FilterPlan } from '../filters/filter-plan.ts';
import { NO_FILTERS } from '../filters/filter-plan.ts';
import { changePath } from '../filters/path-change.ts';
import { locationOf } from '../filters/redirect.ts';
import { findRoute } from '../router/port-router.ts';
import { HeadView } from '../router/route-entry.ts';
import { refusalOf } from '../served-listener.ts';
import type { ServedRule } from '../served-rule.ts';
import type { TimerOwner } from '../timer-wheel.ts';
import { Timer } from '../timer-wheel.ts';
import type { ClusterPool } from '../upstream/cluster-pool.ts';
import type { EndpointState } from '../upstream/endpoint-state.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { BodyKind, Connecting, UpstreamUser } from '../upstream/upstream-user.ts';
import { AnsweringExchange } from './answering-exchange.ts';
import type { Resender } from './attempts.ts';
import { Attempts } from './attempts.ts';
import type { AnswerAdditions } from './downstream.ts';
import { faultReason } from './local-answer.ts';
import { definesContent, isIdempotent, methodOf } from './method.ts';
import { Mirrors } from './mirrored-request.ts';
import { OutgoingRequest } from './outgoing-request.ts';
import { acceptsTrailers, writeRequestHead, writtenRequestId } from './request-head.ts';
import { UpgradeRequest } from './upgrade-request.ts';
import type { Farewell, TunnelOwner } from './websocket-tunnel.ts';
import { WebSocketTunnel } from './websocket-tunnel.ts';

/** For which we end an upgraded connection. */
const OUR_REASONS: ReadonlySet<ResponseReason> = new Set(['draining', 'tunnel_idle', 'client_stalled']);

const target = new RequestTarget();
const view = new HeadView();

/**
 * One request and its answer, from the head to the last byte: routed once, sent to one backend after another until
 * one takes it, answered once. Used again for other requests, of one client connection after the other.
 */
export class Exchange extends AnsweringExchange implements UpstreamUser, TimerOwner, Resender, TunnelOwner {
  connecting: Connecting | null = null;
  hashKey = NO_KEY;
  /** Where that is what it has been upgraded to. */
  webSocket: WebSocketTunnel | null = null;
  readonly #request = new OutgoingRequest();
  readonly #upgrade = new UpgradeRequest();
  readonly #attempts: Attempts;
  readonly #pendingTimer: Timer;
  readonly #totalTimer: Timer;
  #rule: ServedRule | null = null;
  /** Of the rule as it was when the request came. */
  #plan: FilterPlan = NO_FILTERS;
  #pool: ClusterPool | null = null;
  #upstream: Upstream | null = null;
  #expectContinue = false;
  #dispatched = false;
  #answering = false;
  #upgraded = false;
  #mostBody = 0;
  /** A field of the answer, with its line end; empty: none. */
  #setCookie = '';

  constructor(context: Context) {
    super(context);
    this.#attempts = new Attempts(context, this);
    this.#pendingTimer = new Timer(this);
    this.#totalTimer = new Timer(this);
  }

  get tried(): EndpointState[] | null {
    return this.#attempts.tried;
  }

  get requestSent(): boolean {
    return this.#request.sent;
  }

  get askedUpgrade(): string {
    return this.#upgrade.asked;
  }

  get wantsUpgrade(): boolean {
    return this.#upgrade.asked !== '';
  }

  /** The client may rightly wait for a word of the backend before it sends its body (RFC 9110 section 10.1.1). */
  get awaitsContinue(): boolean {
    return this.#expectContinue && this.record.bytesIn === 0;
  }

  begin(head: MessageHead, hasBody: boolean, wholeBody: boolean): void {
    const client = this.client;
    const framing = head.framing;
    this.start(head);
    if (head.version === 20 && this.record.method === 'POST') this.recognize(head, false);
    if (this.record.method === 'CONNECT') {
      if (head.protocol !== WEBSOCKET) {
        this.refuse(head.protocol === '' ? 'method_not_allowed' : 'protocol_not_supported');
        return;
      }
      this.record.method = 'GET';
      this.#upgrade.make(head, this.context);
    }
    const fault = target.read(head, client.port.settings.http.path);
    if (fault !== null) {
      this.refuseFault(fault);
      return;
    }
    this.record.host = target.host;
    this.record.path = target.path;
    const chain = client.port.router.chain(target.host);
    this.listener = chain === null ? null : chain.listener;
    if (chain !== null) this.enter(chain.listener);
    if (client.port.isDraining || chain?.listener.isGone === true) client.keepAlive = false;
    // An answer that comes from here leaves the body unread; only a body that is here whole can be passed over.
    const keepAlive = client.keepAlive;
    if (!wholeBody) client.keepAlive = false;
    const refused = refusalOf(chain?.listener, client.origin.secured);
    if (refused !== null) {
      this.answer(refused);
      return;
    }
    view.method = this.record.method;
    view.head = head;
    view.rawQuery = target.query;
    const entry = chain === null ? null : findRoute(chain, target.path, view);
    if (entry === null) {
      this.answer('route_not_found');
      return;
    }
    const rule = entry.rule;
    this.#rule = rule;
    if (rule.grpcWeb && this.record.method === 'POST') this.recognize(head, true);
    const plan = rule.plan();
    this.#plan = plan;
    if (plan.redirect !== null) {
      const location = locationOf(plan.redirect, entry.path, target, client.port.port, client.port.isSecure);
      this.answer('redirect', plan.redirect.statusCode, location);
      return;
    }
    const most = rule.bodyBytes === -1 ? client.port.settings.http.limits.bodyBytes : rule.bodyBytes;
    this.#mostBody = most === 0 ? Number.MAX_SAFE_INTEGER : most;
    if (framing.contentLength > this.#mostBody) {
      this.answer('body_too_large');
      return;
    }
    const pool = rule.nextPool();
    if (pool === null) {
      this.answer('cluster_not_found');
      return;
    }
    client.keepAlive = keepAlive;
    this.#pool = pool;
    const { hash } = pool;
    if (hash !== null) {
      this.hashKey = hash.read(head, target.path, client.origin.client, client.port.isSecure);
      this.#setCookie = hash.setCookie;
    }
    if (framing.upgrade && !hasBody) this.#upgrade.read(head);
    // Whatever comes of it, the bytes after a request to upgrade are not read as another request.
    if (this.wantsUpgrade) client.keepAlive = false;
    this.#expectContinue = framing.expectContinue && hasBody;
    let block = this.context.requestBlocks.take();
    block.length = 0;
    block = writeRequestHead(block, head, target, {
      origin: client.origin,
      port: client.port.port,
      requestIds: this.context.requestIds,
      headers: plan.request,
      hostname: plan.rewrite?.hostname ?? null,
      path: plan.rewrite?.path ? changePath(target.path, plan.rewrite.path, entry.path) : null,
      upgrade: this.wantsUpgrade ? this.#upgrade : null,
      expectContinue: this.#expectContinue,
      hasBody,
      grpc: this.grpc,
    });
    this.#request.begin(block, framing.chunked || this.grpc?.isText === true, rule.keepsRequest);
    this.#request.acceptsTrailers = pool.isShared && (this.grpc !== null || acceptsTrailers(head));
    this.#request.mayBeTwo = hasBody && !definesContent(this.record.method);
    if (rule.retry !== null) this.#attempts.begin(rule.retry, this.record.method, pool);
    if (this.context.accessLog !== null) this.record.requestId = writtenRequestId(block);
    const limit = this.grpc?.limit(rule.requestTimeoutMs, this.context.time) ?? rule.requestTimeoutMs;
    if (limit > 0) this.context.wheel.set(this.#totalTimer, limit);
  }

  /** `bytes[start, end)` of the request's body, decoded. */
  requestBytes(bytes: Buffer, start: number, end: number, source: SocketStream): void {
    if (this.grpc?.isText !== true) this.#requestBytes(bytes, start, end, source);
    else {
      const plain = this.grpc.web!.decode(bytes, start, end);
      if (plain === null) {
        if (this.#pool !== null) this.#refuseRest('bad_request');
      } else if (plain.length > 0) this.#requestBytes(plain, 0, plain.length, source);
    }
  }

  #requestBytes(bytes: Buffer, start: number, end: number, source: SocketStream): void {
    this.record.bytesIn += end - start;
    if (this.#pool === null) return;
    if (this.record.bytesIn > this.#mostBody) {
      // What a backend has of it is cut off, not ended.
      this.#refuseRest('body_too_large');
      return;
    }
    const request = this.#request;
    if (!this.#dispatched) {
      if (request.put(bytes, start, end)) return;
      this.dispatch();
      if (this.#pool === null) return;
    }
    if (!request.pass(this.#upstream, bytes, start, end, source)) this.client.pauseRequest();
  }

  requestEnd(trailer: MessageHead | null): void {
    this.#request.ended = true;
    if (this.#pool === null) return;
    if (this.grpc?.web?.isRequestWhole === false) {
      this.#refuseRest('bad_request');
      return;
    }
    const rule = this.#rule!;
    this.#request.finish(this.#upstream, this.#dispatched, trailer);
    const mirrors =
      rule.mirrors.length === 0 || this.wantsUpgrade
        ? null
        : Mirrors.draw(this.context, rule.mirrors, this.#request);
    if (!this.#dispatched) this.dispatch();
    else this.#upstream?.awaitAnswer(this.#backendTimeout);
    mirrors?.send(this.isHead);
  }

  /** Sends what there is of the request; called once all that one read brought is in the block. */
  dispatch(): void {
    if (this.#dispatched || this.#pool === null) return;
    this.#dispatched = true;
    this.#attempt(false);
  }

  hostname(): string {
    return this.#plan?.rewrite?.hostname ?? this.record.host;
  }

  proxied(): ProxiedConnection {
    return this.client.origin.proxied();
  }

  onUpstream(upstream: Upstream): void {
    this.context.wheel.clear(this.#pendingTimer);
    this.#upstream = upstream;
    if (this.#request.mayBeTwo) upstream.isPersonal = true;
    upstream.sentAt = this.context.time;
    this.record.sent(upstream);
    this.grpc?.renewTimeout(this.#request.block, this.context.time);
    const done = this.#request.send(upstream);
    if (this.#request.ended) upstream.awaitAnswer(this.#backendTimeout);
    else if (done) this.client.resumeRequest();
    else this.client.pauseRequest();
  }

  onConnectFailed(endpoint: EndpointState, timedOut: boolean): void {
    this.record.connectFailure = endpoint.lastFailure;
    this.#attempts.avoid(endpoint);
    this.context.wheel.clear(this.#pendingTimer);
    if (this.#attempts.unprocessed()) {
      this.#pool!.counters.retried('connect_failed');
      this.#attempt(false);
    } else if (!this.#attempts.afterNoConnection(this.#pool!, endpoint, this.#totalTimer.deadline))
      this.#answerInstead(timedOut ? 'upstream_connect_timeout' : 'upstream_connect_failed');
    this.client.flush();
  }

  onWaiting(): void {
    this.context.wheel.set(this.#pendingTimer, this.#pool!.pendingTimeoutMs);
  }

  onUnavailable(reason: ResponseReason): void {
    this.#answerInstead(reason);
    this.client.flush();
  }

  onInterim(head: MessageHead): void {
    if (head.status === 100) {
      if (!this.#expectContinue) return;
      this.#expectContinue = false;
      this.client.awaitBody();
    }
    this.client.sendInterim(head);
  }

  onResponseHead(head: MessageHead, body: BodyKind): void {
    const client = this.client;
    if (this.#rule!.retry !== null && this.#withholds(head)) return;
    this.record.answeredAt = this.context.time;
    this.record.status = head.status;
    this.#releaseBlock();
    // The rest of the request may come late or never: the connection ends with this answer, and the client is told.
    if (!this.#request.ended) client.keepAlive = false;
    if (client.port.isDraining) client.keepAlive = false;
    client.sendHead(head, body, this.isHead, this.#additions());
    this.#answering = true;
  }

  onResponseBytes(bytes: Buffer, start: number, end: number): void {
    this.record.bytesOut += end - start;
    const upstream = this.#upstream!;
    if (this.#upgraded) {
      if (this.webSocket !== null) this.webSocket.toClient(bytes, start, end, upstream.source);
      else this.client.sendTunnel(bytes, start, end, upstream.source);
      return;
    }
    this.client.sendBody(bytes, start, end, upstream.source);
    if (this.client.isBlocked) upstream.pause();
  }

  onResponseEnd(trailer: MessageHead | null): void {
    this.client.sendEnd(trailer);
    this.#upstream = null;
    this.finish();
    this.client.answered();
  }

  onUpgrade(head: MessageHead): void {
    if (!this.#upgrade.isAnswered(head)) {
      this.#answerInstead('upstream_protocol_error');
      return;
    }
    this.#answering = true;
    this.#upgraded = true;
    this.record.status = 101;
    this.#releaseBlock();
    this.context.wheel.clear(this.#totalTimer);
    const client = this.client;
    this.webSocket = WebSocketTunnel.of(this.context, head, client, this.#upstream!, this);
    client.sendUpgrade(head, this.#additions());
    if (client.port.isDraining) this.webSocket?.drainSoon();
  }

  onUpstreamFailed(upstream: Upstream, reason: ResponseReason, answered: boolean): void {
    this.#upstream = null;
    this.record.detail = upstream.fault;
    if (this.#upgraded) {
      this.#end(reason);
      this.client.endAfterWrites();
      return;
    }
    if (this.#answering) {
      this.#end(reason);
      this.client.cutAnswer();
      return;
    }
    if (upstream.isUnprocessed && this.#request.isRestartable && this.#attempts.unprocessed()) {
      this.#pool!.counters.retried('unprocessed');
      this.#attempt(false);
      return;
    }
    if (this.#request.isWhole) {
      const pool = this.#pool!;
      const stale = reason === 'upstream_reset' && upstream.reused && !answered;
      if (stale && isIdempotent(this.record.method) && this.#attempts.unprocessed()) {
        pool.counters.retried('stale_connection');
        this.#attempt(true);
        return;
      }
      const condition =
        reason === 'upstream_reset' ? 'Reset' : reason === 'upstream_timeout' ? 'Timeout' : null;
      const latest = this.#totalTimer.deadline;
      if (condition !== null && this.#attempts.afterFailure(condition, pool, upstream.endpoint, latest))
        return;
    }
    this.#answerInstead(reason);
  }

  onUpstreamWritable(): void {
    if (this.#upgraded || !this.#request.ended) this.client.resumeRequest();
  }

  onUpstreamEnd(): void {
    this.client.endTunnel();
  }

  onReadDone(): void {
    this.client.flush();
    this.client.rest();
  }

  onClientBlocked(): void {
    this.#upstream?.pause();
  }

  onClientWritable(): void {
    this.#upstream?.resume();
  }

  tunnelBytes(bytes: Buffer, start: number, end: number, source: SocketStream): void {
    const upstream = this.#upstream;
    if (upstream === null) return;
    this.record.bytesIn += end - start;
    if (this.webSocket !== null) this.webSocket.toBackend(bytes, start, end, source);
    else if (!upstream.sendBody(bytes, start, end, source)) this.client.pauseRequest();
  }

  tunnelEnd(): void {
    this.webSocket?.clientEnded();
    this.#upstream?.endTunnel();
  }

  tunnelOver(reason: Farewell): void {
    this.#end(reason);
    this.client.endAfterWrites();
  }

  onTimer(timer: Timer): void {
    if (!this.active) return;
    if (timer === this.#pendingTimer) {
      this.#pool!.forget(this);
      this.#answerInstead('pending_timeout');
    } else if (this.#answering) {
      this.#end(this.grpc?.lateReason ?? 'upstream_timeout');
      this.client.cutAnswer();
    } else this.#answerInstead(this.grpc?.lateReason ?? 'upstream_timeout');
    this.client.flush();
  }

  /** The client is gone or is sent away; everything that works for it stops. */
  abort(reason: ResponseReason): void {
    // What nothing but the end of the connection ends would be taken for whole (RFC 9112 section 8).
    const isUnderWay = this.active ? this.#answering : this.client.isBlocked;
    if (reason === 'draining') this.webSocket?.lastWords();
    if (this.active) this.#end(reason);
    else if (isUnderWay) this.count(reason);
    this.client.leave(isUnderWay);
  }

  clientGone(reason: ResponseReason): void {
    if (this.active) this.#end(reason);
  }

  onFault(error: unknown): void {
    this.client.onFault(error);
  }

  /** Something threw: answered where nothing of an answer has been put together yet, else cut. */
  fault(): void {
    if (!this.active) {
      this.count('internal_error');
      this.client.cut(true);
    } else this.fail('internal_error');
  }

  /** Answered with the reason where no answer has begun, else cut. */
  fail(reason: ResponseReason): void {
    const client = this.client;
    if (this.#answering) {
      this.#end(reason);
      client.cut(true);
    } else {
      client.keepAlive = false;
      this.#answerInstead(reason);
      client.flush();
    }
  }

  /** The request's body does not come, or nobody takes it. */
  bodyTimeout(reason: 'request_timeout' | 'upstream_timeout'): void {
    this.#refuseRest(reason);
  }

  /** The request's body is not well-formed: what the backend has of it is cut off, not ended. */
  requestFault(fault: Fault): void {
    this.record.detail = fault;
    this.#refuseRest(faultReason(fault));
  }

  #refuseRest(reason: ResponseReason): void {
    if (this.#answering) this.abort(reason);
    else this.#answerInstead(reason);
  }

  protected start(head: MessageHead | null): void {
    this.active = true;
    this.forgetCall();
    const method = head === null ? '' : methodOf(head);
    this.record.start(this.context.time, method);
    this.isHead = method === 'HEAD';
    this.#upgrade.reset();
    this.#attempts.reset();
    this.#rule = null;
    this.listener = null;
    this.#pool = null;
    this.#request.reset();
    this.#expectContinue = false;
    this.#dispatched = false;
    this.#answering = false;
    this.#upgraded = false;
    this.hashKey = NO_KEY;
    this.#setCookie = '';
  }

  /** A call may take what its deadline leaves it. */
  get #backendTimeout(): number {
    const rule = this.#rule!;
    return this.grpc === null ? rule.backendTimeout(this.context.timeouts.backend) : rule.backendTimeoutMs;
  }

  #additions(): AnswerAdditions {
    return { headers: this.#plan.response, setCookie: this.#setCookie, webSocketKey: this.#upgrade.key };
  }

  #attempt(fresh: boolean): void {
    this.record.attempts += 1;
    const result = this.#pool!.acquire(this, fresh);
    if (result === null) {
      if (this.connecting === null) this.onWaiting();
      if (!this.#request.ended) this.client.pauseRequest();
    } else if (typeof result === 'string') this.#answerInstead(result);
    else this.onUpstream(result);
  }

  sendAgain(): void {
    this.#upstream = null;
    this.#attempt(false);
    this.client.flush();
  }

  #withholds(head: MessageHead): boolean {
    const upstream = this.#upstream!;
    if (!this.#request.isWhole || !this.#attempts.insteadOf(head, upstream, this.#totalTimer.deadline))
      return false;
    // Unless another is at it already.
    if (this.#upstream === upstream) this.#upstream = null;
    return true;
  }

  /** An answer of our own where the request may already be under way. */
  #answerInstead(reason: ResponseReason): void {
    this.#leaveUpstream();
    if (!this.#request.ended) this.client.keepAlive = false;
    this.answer(reason);
  }

  #leaveUpstream(): void {
    const upstream = this.#upstream;
    this.#upstream = null;
    this.#attempts.stop();
    if (upstream !== null) upstream.close();
    else if (this.#dispatched) this.#pool?.forget(this);
  }

  /** Cut short: counts, and lets everything go. */
  #end(ending: ResponseReason): void {
    const reason = this.webSocket?.reason ?? ending;
    // An upgraded connection ends when either side says so: nobody is to blame but us.
    if (!this.#upgraded || OUR_REASONS.has(reason)) {
      this.record.reason = reason;
      if (!this.#answering) this.record.status = RESPONSE_REASONS[reason];
      this.count(reason);
    }
    this.#leaveUpstream();
    this.#releaseBlock();
    this.finish();
  }

  protected finish(): void {
    if (!this.active) return;
    this.active = false;
    const context = this.context;
    context.wheel.clear(this.#pendingTimer);
    context.wheel.clear(this.#totalTimer);
    const listener = this.listener;
    const rule = this.#rule;
    this.#request.dropHeld();
    this.webSocket?.stop();
    this.webSocket = null;
    this.#pool = null;
    this.#rule = null;
    this.record.grpcStatus =
      this.grpc?.over(context.grpcResponses, rule?.route ?? null, this.record.reason) ?? '';
    this.record.finish(context, listener, rule, this.client);
    if (listener?.isDraining === true) this.client.port.checkDrained(listener);
  }

  /** Nothing is asked of a backend any more. */
  protected letGo(): void {
    this.#pool = null;
    this.#releaseBlock();
  }

  #releaseBlock(): void {
    this.#request.release(this.context.requestBlocks, this.#upstream?.isWriting === true);
  }
}
