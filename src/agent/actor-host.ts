import diagnostics from 'node:diagnostics_channel';
import type { ChannelCredentials } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import type { Context as StreamContext, Input as StreamInput } from '../../actors/config-stream.ts';
import type { Event as WorkerEvent, Input as WorkerInput } from '../../actors/dataplane-worker.ts';
import type {
  Context as RolloutContext,
  Event as RolloutEvent,
  Input as RolloutInput,
} from '../../actors/rollout.ts';
import { actorAddress } from '../../supervisors/address.ts';
import { BEHAVIORS } from '../../supervisors/behaviors.ts';
import type { JournalTrouble } from '../../supervisors/journal.ts';
import type { SystemNotice } from '../../supervisors/system.ts';
import { ActorSystem } from '../../supervisors/system.ts';
import { TREE } from '../../supervisors/tree.ts';
import type { ActorReport } from '../model/actor.ts';
import type { Applied, Journaled } from '../model/channel.ts';
import { CHANNELS } from '../model/channel.ts';
import type { NodeReport, ReportDetail } from '../model/report.ts';
import type { ObjectFailure, SnapshotChanges } from '../model/snapshot.ts';
import { VERSION } from '../os/version.ts';
import { BackendLog } from './backend-log.ts';
import type { ConfigurationStore } from './configuration-store.ts';
import { configStreamBindings } from './effects/config-stream.ts';
import { dataplaneWorkerBindings } from './effects/dataplane-worker.ts';
import { rolloutBindings } from './effects/rollout.ts';
import { productionWorld } from './effects/world.ts';
import { foreignPorts } from './foreign-ports.ts';
import type { TableCalls } from './hash-tables.ts';
import type { LimitSlots } from './limit-slots.ts';
import type { ReadinessFacts } from './readiness.ts';
import type { RestartLimit } from './restart-limit.ts';
import { mainTree } from './restart-limit.ts';
import { createConfigStreamClient } from './stream/client.ts';
import { Supervision, supervisorBindings } from './supervision.ts';
import { openThreadJournal, type ThreadJournal } from './thread-journal.ts';
import type { WorkerMessage, WorkerReport } from './worker/contract.ts';
import { threadName } from './worker/contract.ts';
import type { CounterMemories } from './worker-counters.ts';
import { WorkerPool } from './worker-pool.ts';
import { WorkerTroubles } from './worker-troubles.ts';

const START_TIMEOUT_MS = 10_000;
const ANSWER_TIMEOUT_MS = 30_000;
const CONNECT_TIMEOUT_MS = 12_000;
const REPORT_INTERVAL_MS = 5_000;
const REPORT_TIMEOUT_MS = 1_000;

export interface ActorHostOptions {
  readonly node: string;
  readonly workers: number;
  readonly reusePort: boolean;
  readonly bind?: string | undefined;
  readonly accessLog: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly controllerAddress: string;
  readonly credentials: ChannelCredentials;
  readonly drainTimeoutMs: number;
  /** Null: no journal is written. */
  readonly journalDirectory: string | null;
  readonly workerEntry: URL;
  /** Most memory of a worker's JavaScript heap, in MiB. */
  readonly workerHeapMb: number;
  /** Undefined is that of the tree. */
  readonly workerRestarts?: RestartLimit | undefined;
  readonly logger: Logger;
  readonly store: ConfigurationStore;
  readonly limits: LimitSlots;
  /** Of TLS sessions, see `TicketKeys`. */
  readonly ticketKeys: SharedArrayBuffer;
  readonly counters: CounterMemories;
  readonly tables: TableCalls;
  readonly decode: (parts: readonly Uint8Array[]) => Promise<SnapshotChanges>;
  readonly report: (detail: ReportDetail) => Promise<NodeReport>;
  readonly onSettled: () => void;
}

/** The main thread's actors, with their effects bound to the stream and to the worker threads. */
export class ActorHost {
  readonly #options: ActorHostOptions;
  readonly #backendLog: BackendLog;
  readonly #system: ActorSystem;
  readonly #supervision: Supervision;
  readonly #journal: ThreadJournal;
  readonly #pool: WorkerPool;
  readonly #served = new Set<number>();
  readonly #troubles: WorkerTroubles;
  readonly #applied = diagnostics.channel(CHANNELS.applied);
  #mayConnect: Promise<unknown> = Promise.resolve();
  #cut = 0;
  #restarts = 0;
  readonly #journaled = diagnostics.channel(CHANNELS.journaled);
  #ended = '';
  #onEnded: (() => void) | null = null;
  #takenAt = 0;
  /** That workers which keep failing have been tried with. */
  #triedVersion = '';
  #standing: readonly ObjectFailure[] = [];

  constructor(options: ActorHostOptions) {
    this.#options = options;
    this.#backendLog = new BackendLog(options.logger);
    this.#troubles = new WorkerTroubles(options.logger, (worker) => this.#backendLog.forget(worker));
    const { node, store, limits } = options;
    this.#journal = openThreadJournal({
      directory: options.journalDirectory,
      thread: 'main',
      system: () => this.#system,
      onTrouble: (trouble) => this.#journalTrouble('main', trouble),
    });
    process.on('exit', this.#flush);

    const main = (kind: string, name = '') => actorAddress(node, 'main', kind, name);
    const stream = configStreamBindings({
      store,
      mayConnect: () => this.#mayConnect,
      client: () => client,
      hello: { node, agentVersion: VERSION, labels: { ...options.labels } },
      report: options.report,
      rolloutAddress: main('rollout'),
      world: productionWorld,
    });
    const client = createConfigStreamClient({
      address: options.controllerAddress,
      credentials: options.credentials,
      decode: options.decode,
      onEvent: (event) => {
        if (event.type === 'connected') options.logger.info('connected to the controller');
        if (event.type === 'disconnected')
          options.logger.warn({ reason: event.reason }, 'disconnected from the controller');
        this.#system.send(main('config-stream'), stream.toEvent(event));
        if (this.#rollout()?.workers.length === 0) this.#retryIsolated();
      },
      onRefused: (reason) => options.logger.error({ reason }, 'an update could not be decoded'),
    });
    this.#pool = new WorkerPool({
      entry: options.workerEntry,
      settings: {
        node,
        bind: options.bind,
        reusePort: options.reusePort,
        accessLog: options.accessLog,
        drainTimeoutMs: options.drainTimeoutMs,
        journalDirectory: options.journalDirectory,
        ticketKeys: options.ticketKeys,
      },
      heapMb: options.workerHeapMb,
      limits,
      counters: options.counters,
      tables: options.tables,
      settled: () => store.settled,
      ...this.#troubles.of((worker, event) =>
        this.#system.send(main('dataplane-worker', String(worker)), event),
      ),
      onMessage: (worker, message) => this.#message(worker, message),
    });
    this.#system = new ActorSystem({
      node,
      thread: 'main',
      world: productionWorld,
      behaviors: BEHAVIORS,
      bindings: {
        supervisor: supervisorBindings(() => this.#supervision),
        'config-stream': stream.bindings,
        rollout: rolloutBindings({
          store,
          limits,
          pool: () => this.#pool,
          workerAddress: (worker) => main('dataplane-worker', String(worker)),
          streamAddress: main('config-stream'),
          onTaken: () => {
            this.#takenAt = productionWorld.now();
          },
          onSettled: (standing) => this.#settled(standing),
          onFailed: (standing) => this.#logFailures(standing),
          foreignPorts: (changes, serving) => foreignPorts(changes, serving, options.bind),
        }),
        'dataplane-worker': dataplaneWorkerBindings({
          pool: () => this.#pool,
          rollout: main('rollout'),
          onDrained: (cut) => {
            this.#cut += cut;
          },
        }),
      },
      journal: this.#journal,
      onNotice: (notice) => this.#notice(notice),
      forward: (envelope) => {
        if (envelope.event.type === 'child.exited') this.#end();
      },
    });
    this.#supervision = new Supervision({
      node,
      thread: 'main',
      tree: mainTree(options.workerRestarts),
      system: () => this.#system,
      world: productionWorld,
      drainTimeoutMs: options.drainTimeoutMs,
      source: {
        children: () => Array.from({ length: options.workers }, (_, worker) => String(worker)),
        input: (kind, name) => this.#input(kind, Number(name)),
        gone: () => {},
        killed: (kind, name) => {
          if (kind === 'dataplane-worker') this.#pool.get(Number(name))?.terminate();
        },
        restarted: (kind, name) => {
          this.#restarts += 1;
          options.logger.warn({ actor: `${kind}/${name}` }, 'restarted');
        },
        isolated: (kind, name, reason) => {
          options.logger.error({ actor: `${kind}/${name}`, reason }, 'keeps failing and is left out for now');
          if (kind === 'dataplane-worker') this.#troubles.givenUp(Number(name));
        },
      },
    });
  }

  /**
   * `restored`: when what served last has been read, or could not be. `reachable`: when it makes sense to connect.
   * Threads start meanwhile.
   */
  start(restored: Promise<void>, reachable: Promise<unknown>): void {
    this.#mayConnect = Promise.all([restored, reachable]);
    void restored.then(() => {
      const { wishedVersion } = this.#options.store;
      if (wishedVersion !== '')
        this.#system.send<RolloutEvent>(this.#supervision.address('rollout'), {
          type: 'changes.staged',
          nonce: 0,
          version: wishedVersion,
        });
    });
    // Its parent is no actor: the agent itself hears of the end of the tree.
    this.#supervision.startTree(TREE.main.supervisor, actorAddress(this.#options.node, 'host', 'agent'));
  }

  /** Stops everything in reverse order of start. Resolves with the number of connections cut. */
  async stop(): Promise<number> {
    if (this.#ended === '')
      await new Promise<void>((resolve) => {
        this.#onEnded = resolve;
        this.#system.send(this.#supervision.address('supervisor', TREE.main.supervisor), { type: 'stop' });
      });
    this.#flush();
    process.off('exit', this.#flush);
    return this.#cut;
  }

  get ended(): string {
    return this.#ended;
  }

  get restarts(): number {
    return this.#restarts;
  }

  get streamProblem(): string {
    const context = this.#system.describe(this.#supervision.address('config-stream')) as
      | StreamContext
      | undefined;
    return context?.problem ?? 'not started';
  }

  workers(): ReadinessFacts['workers'] {
    const rollout = this.#rollout();
    const { abandoned } = this.#pool;
    return Array.from({ length: this.#options.workers }, (_, worker) => {
      const serves = rollout?.workers.includes(worker) === true;
      if (serves) {
        this.#served.add(worker);
        this.#troubles.serves(worker);
      }
      return {
        name: threadName(worker),
        serves,
        served: this.#served.has(worker),
        givenUp: this.#troubles.whyGivenUp(worker),
        cannotBeEnded: abandoned.has(worker),
      };
    });
  }

  actors(): readonly ActorReport[] {
    return [...this.#system.report(), ...this.#supervision.absent()];
  }

  /** What every worker that answers in time says of itself. */
  async workerReports(detail: ReportDetail): Promise<readonly WorkerReport[]> {
    const reports = await Promise.all(
      this.#pool.running().map(async ([, thread]) => {
        const late = Promise.withResolvers<null>();
        const timer = setTimeout(() => late.resolve(null), REPORT_TIMEOUT_MS);
        try {
          return await Promise.race([thread.call((remote) => remote.report(detail)), late.promise]);
        } catch {
          return null;
        } finally {
          clearTimeout(timer);
        }
      }),
    );
    return reports.filter((report) => report !== null);
  }

  #rollout(): RolloutContext | undefined {
    return this.#system.describe(this.#supervision.address('rollout')) as RolloutContext | undefined;
  }

  #input(kind: string, worker: number): RolloutInput | WorkerInput | StreamInput | undefined {
    const { store, drainTimeoutMs } = this.#options;
    switch (kind) {
      case 'rollout':
        return {
          workers: this.#pool
            .running()
            .map(([running]) => running)
            .filter(
              (running) =>
                this.#system.state(this.#supervision.address('dataplane-worker', String(running))) ===
                'ready',
            ),
          expected:
            this.#restarts === 0 ? Array.from({ length: this.#options.workers }, (_, each) => each) : [],
          pending: store.pending,
          nonce: 0,
          version: store.wishedVersion,
          answerTimeoutMs: ANSWER_TIMEOUT_MS,
        };
      case 'dataplane-worker':
        return { worker, startTimeoutMs: START_TIMEOUT_MS, drainTimeoutMs };
      case 'config-stream':
        return { connectTimeoutMs: CONNECT_TIMEOUT_MS, reportIntervalMs: REPORT_INTERVAL_MS };
      default:
        return undefined;
    }
  }

  #message(worker: number, message: WorkerMessage): void {
    if (message.type === 'ready')
      this.#system.send<WorkerEvent>(this.#supervision.address('dataplane-worker', String(worker)), {
        type: 'worker.ready',
      });
    else if (message.type === 'envelope') this.#system.deliver(message.envelope);
    else if (message.type === 'restarted') this.#restarts += 1;
    else if (message.type === 'backend') this.#backendLog.note(worker, message.notification);
    else if (message.type === 'fault') {
      const { message: error, stack, count } = message;
      this.#options.logger.error(
        { worker, error, stack, count },
        'a fault of NovaEdge itself cost a connection; please report it with its stack',
      );
    } else if (message.type === 'notice') this.#notice(message.notice);
    else if (message.type === 'journal') this.#journalTrouble(threadName(worker), message.trouble);
  }

  /** Once for each time that it fails. */
  #journalTrouble(thread: string, trouble: JournalTrouble): void {
    const { logger } = this.#options;
    const failing = trouble.type === 'failing';
    const lost = failing ? 0 : trouble.lost;
    if (failing)
      logger.error(
        { thread, reason: trouble.message },
        'the journal cannot be written: what happens until it can cannot be replayed',
      );
    else logger.warn({ thread, lost }, 'the journal is written again');
    const told: Journaled = { thread, failing, lost };
    if (this.#journaled.hasSubscribers) this.#journaled.publish(told);
  }

  #logFailures(standing: readonly ObjectFailure[]): void {
    const { logger } = this.#options;
    const before = new Map(this.#standing.map((failure) => [failure.key, failure]));
    for (const failure of standing) {
      const known = before.get(failure.key);
      before.delete(failure.key);
      if (known?.message === failure.message) continue;
      logger.error({ object: failure.key, reason: failure.reason, event: failure.event }, failure.message);
    }
    for (const key of before.keys()) logger.info({ object: key }, 'is in use again, or no longer wished');
    this.#standing = standing;
  }

  #settled(standing: readonly ObjectFailure[]): void {
    const { logger, store, onSettled } = this.#options;
    this.#logFailures(standing);
    this.#retryIsolated();
    const seconds = (productionWorld.now() - this.#takenAt) / 1_000;
    logger.info(
      { version: store.servingVersion.slice(0, 12), seconds, failures: standing.length },
      'configuration in use',
    );
    const applied: Applied = { version: store.servingVersion, seconds, failures: standing.length };
    if (this.#applied.hasSubscribers) this.#applied.publish(applied);
    onSettled();
  }

  /** Another configuration may be one that they can live with: they need not wait for their turn. */
  #retryIsolated(): void {
    const { wishedVersion } = this.#options.store;
    if (wishedVersion === this.#triedVersion) return;
    this.#triedVersion = wishedVersion;
    const names = this.#troubles.workersGivenUp.map(String);
    if (names.length > 0) this.#supervision.startChildren('dataplane-worker', names);
  }

  #notice(notice: SystemNotice): void {
    const { message, ...what } = notice;
    // A message that crosses an actor's end is ordinary; the others are not.
    if (notice.type === 'undeliverable') this.#options.logger.debug(what, message);
    else this.#options.logger.error(what, message);
  }

  #end(): void {
    this.#ended = this.#onEnded === null ? 'its supervision gave up' : 'it was asked to';
    if (this.#onEnded === null) this.#options.logger.fatal('supervision gave up: the agent no longer serves');
    this.#pool.close();
    this.#onEnded?.();
  }

  readonly #flush = (): void => this.#journal.flush();
}
