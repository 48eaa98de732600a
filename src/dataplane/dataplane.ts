import type { Cluster } from '../model/cluster.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { Listener } from '../model/gateway.ts';
import type { ReportDetail } from '../model/report.ts';
import type { ResourceKey } from '../model/resource.ts';
import type { SnapshotChanges } from '../model/snapshot.ts';
import type { SocketStream } from '../os/socket-stream.ts';
import type { System } from '../os/system.ts';
import { SYSTEM } from '../os/system.ts';
import { TicketKeys } from '../os/tls/ticket-keys.ts';
import { ABUSE_LIMITS } from '../wire/h2/abuse-limits.ts';
import { HeldBytes } from '../wire/h2/held-bytes.ts';
import { HeadParser } from '../wire/http1/head-parser.ts';
import { MessageWriter } from '../wire/http1/writer.ts';
import { AccessLog } from './access-log.ts';
import { buildInPlace } from './balance/table-builder.ts';
import { ClientConnection } from './client/client-connection.ts';
import { ClientWork } from './client/client-work.ts';
import { REQUEST_BLOCK_BYTES } from './client/outgoing-request.ts';
import { Output } from './client/output.ts';
import { ClientOrigin } from './client-address/client-origin.ts';
import type { CompiledRoute } from './configuration.ts';
import { Configuration } from './configuration.ts';
import type { Context } from './context.ts';
import { FreeList } from './context.ts';
import type { AtObject, DataplaneControl, DataplaneOptions, Preparation } from './control.ts';
import { Counters, LabelledCounters } from './counters.ts';
import { Faults } from './faults.ts';
import { GrpcResponses } from './grpc/grpc-responses.ts';
import { Http2ClientConnection } from './http2/client-connection.ts';
import { Http2ClientStream } from './http2/client-stream.ts';
import { FRAME_BLOCK_BYTES } from './http2/frame-buffer.ts';
import { TurnEnd } from './http2/turn-end.ts';
import { SharedLimits } from './limits.ts';
import { ListenerSet } from './listener-set.ts';
import type { AcceptedConnection } from './port-connection.ts';
import { reportClusters, reportEndpoints } from './report.ts';
import { RequestIds } from './request-id.ts';
import { RoutingTables } from './routing-tables.ts';
import type { ServedPort } from './served-port.ts';
import type { Timeouts } from './timeouts.ts';
import { TIMEOUTS } from './timeouts.ts';
import { TICK_MS, TimerWheel } from './timer-wheel.ts';
import { BackendSecurity } from './tls/backend-security.ts';
import { CertificateStore } from './tls/certificate-store.ts';
import type { CompiledCertificate } from './tls/compiled-certificate.ts';
import { HandshakesUnderWay } from './tls/handshakes-under-way.ts';
import type { ServeSecured } from './tls/tls-handshake.ts';
import { TlsHandshake } from './tls/tls-handshake.ts';
import { ClusterPool } from './upstream/cluster-pool.ts';
import { Xoshiro128 } from './xoshiro128.ts';

/**
 * A worker's data plane. Everything on the path of a request is reached from here; this class itself is only
 * called to change something.
 */
export class Dataplane implements DataplaneControl {
  readonly #context: Context;
  readonly #output = new Output();
  readonly #configuration = new Configuration();
  readonly #pools = new Map<string, ClusterPool>();
  readonly #tables: RoutingTables;
  readonly #listeners: ListenerSet;
  readonly #stopTicking: () => void;

  constructor(options: DataplaneOptions, timeouts: Partial<Timeouts> = {}, system: System = SYSTEM) {
    const counters = new Counters(options.counters, options.register);
    const faults = new Faults(system.now, options.notify);
    const certificates = new CertificateStore();
    const context: Context = {
      time: system.now(),
      system,
      wheel: new TimerWheel(system.now()),
      timeouts: { ...TIMEOUTS, ...timeouts },
      counters,
      limits: new SharedLimits(options.limits, options.worker),
      requestIds: new RequestIds(new Xoshiro128(system.randomBits)),
      random: new Xoshiro128(system.randomBits),
      buildTable: options.buildTable ?? buildInPlace,
      requestHeads: new FreeList(256, () => new HeadParser('request')),
      responseHeads: new FreeList(256, () => new HeadParser('response')),
      requestBlocks: new FreeList(256, () => new MessageWriter(REQUEST_BLOCK_BYTES)),
      frameBlocks: new FreeList(64, () => new MessageWriter(FRAME_BLOCK_BYTES)),
      turnEnd: new TurnEnd(system, faults),
      clientWork: new FreeList(256, () => new ClientWork(context)),
      clientStreams: new FreeList(1024, () => new Http2ClientStream(context)),
      heldBytes: new HeldBytes(ABUSE_LIMITS.heldBytes),
      accessLog: options.accessLog === null ? null : new AccessLog(options.accessLog),
      tls: {
        certificates,
        backends: new BackendSecurity(certificates),
        tickets: new TicketKeys(options.ticketKeys),
        handshakes: new HandshakesUnderWay(system),
      },
      faults,
      notify: options.notify,
      grpcResponses: new GrpcResponses(counters),
      localResponses: new LabelledCounters(counters, 'local_response_count', {}),
    };
    this.#context = context;
    this.#tables = new RoutingTables(counters, this.#configuration, (cluster) => this.#pool(cluster));
    this.#listeners = new ListenerSet(context, this.#tables, options, (port, stream) =>
      this.#accept(port, stream),
    );
    this.#stopTicking = system.every(TICK_MS, () => this.#tick());
  }

  prepare(changes: SnapshotChanges, at?: AtObject): Preparation {
    return this.#configuration.prepare(changes, at);
  }

  commit(rejected: readonly ResourceKey[], at?: AtObject): void {
    this.#configuration.commit(rejected, this, at);
    this.#listeners.settle();
  }

  discard(): void {
    this.#configuration.discard();
    this.#listeners.discard();
  }

  bindListener(listener: Listener): Promise<void> {
    return this.#listeners.bind(listener);
  }

  activateListener(name: string): void {
    this.#listeners.activate(name);
  }

  drainListener(name: string): void {
    this.#listeners.drain(name);
  }

  closeListener(name: string): number {
    return this.#listeners.close(name);
  }

  openPool(cluster: Cluster, limitSlot: number, anew = false): void {
    const pool = this.#pool(cluster.name);
    if (anew) for (const endpoint of pool.endpoints.keys()) pool.eject(endpoint, false);
    pool.open(cluster, limitSlot);
  }

  drainPool(name: string): void {
    this.#pools.get(name)?.drain();
  }

  closePool(name: string): number {
    const pool = this.#pools.get(name);
    if (pool === undefined) return 0;
    return pool.shut();
  }

  ejectEndpoint(cluster: string, endpoint: string): void {
    this.#pools.get(cluster)?.eject(endpoint, true);
  }

  restoreEndpoint(cluster: string, endpoint: string): void {
    this.#pools.get(cluster)?.eject(endpoint, false);
  }

  abort(): void {
    this.#listeners.abort();
    this.#contained(() => this.#context.accessLog?.flush());
  }

  report(detail: ReportDetail): ReturnType<DataplaneControl['report']> {
    return {
      listeners: this.#listeners.report(),
      clusters: reportClusters(this.#pools.values(), detail),
      endpoints: reportEndpoints(this.#pools.values(), detail),
    };
  }

  /** Port that a listener is bound to; for listeners on port 0. */
  portOf(listener: string): number {
    return this.#listeners.portOf(listener);
  }

  /** Timeouts that run; for tests. */
  get armedTimers(): number {
    return this.#context.wheel.armed;
  }

  /** Everything is cut and closed; the instance is not used again. */
  shutdown(): void {
    this.#stopTicking();
    this.#listeners.shutdown();
    for (const pool of this.#pools.values()) pool.shut();
    this.#context.accessLog?.flush();
    this.#context.accessLog?.close();
  }

  removeRoute(name: string): void {
    this.#tables.removeRoute(name);
  }

  putRoute(route: CompiledRoute): void {
    this.#tables.putRoute(route);
  }

  removeListener(name: string): void {
    this.#listeners.remove(name);
  }

  putCertificate(certificate: CompiledCertificate): void {
    this.#context.tls.certificates.put(certificate);
  }

  removeCertificate(name: string): void {
    this.#context.tls.certificates.remove(name);
  }

  putListener(listener: Listener): void {
    this.#listeners.put(listener);
  }

  putCluster(name: string, cluster: Cluster | null): void {
    this.#pool(name).configure(cluster);
  }

  putEndpoint(endpoint: Endpoint): void {
    this.#pool(endpoint.cluster).putEndpoint(endpoint);
  }

  removeEndpoint(cluster: string, id: string): void {
    this.#pools.get(cluster)?.removeEndpoint(id);
  }

  endpointsChanged(cluster: string): void {
    this.#pools.get(cluster)?.rebalance();
  }

  #pool(name: string): ClusterPool {
    let pool = this.#pools.get(name);
    if (pool === undefined) {
      pool = new ClusterPool(this.#context, name);
      this.#pools.set(name, pool);
    }
    return pool;
  }

  #accept(port: ServedPort, stream: SocketStream): AcceptedConnection {
    if (port.isSecure) return new TlsHandshake(this.#context, port, stream, this.#serveSecured);
    return this.#serveHttp(port, stream, new ClientOrigin(stream, null), !port.settings.http.http1);
  }

  readonly #serveSecured: ServeSecured = (port, stream, origin) =>
    this.#serveHttp(port, stream, origin, origin.secured?.alpn === 'h2' || !port.settings.http.http1);

  #serveHttp(
    port: ServedPort,
    stream: SocketStream,
    origin: ClientOrigin,
    isHttp2: boolean,
  ): ClientConnection | Http2ClientConnection {
    return isHttp2
      ? new Http2ClientConnection(this.#context, port, stream, origin)
      : new ClientConnection(this.#context, this.#output, port, stream, origin);
  }

  #tick(): void {
    const now = this.#context.system.now();
    this.#context.time = now;
    this.#context.wheel.advance(now);
    for (const pool of this.#pools.values()) if (pool.needsTick) this.#contained(() => pool.tick());
    this.#contained(() => this.#context.accessLog?.flush());
    this.#context.faults.flush();
  }

  #contained(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#context.faults.report(error);
    }
  }
}
