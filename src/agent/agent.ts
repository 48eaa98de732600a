import { join } from 'node:path';
import type { ChannelCredentials } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import type { AgentAdmin } from '../model/admin.ts';
import { canReusePort } from '../os/reuse-port.ts';
import { TicketKeys } from '../os/tls/ticket-keys.ts';
import { ActorHost } from './actor-host.ts';
import { createAgentAdmin } from './agent-admin.ts';
import { ConfigurationStore } from './configuration-store.ts';
import { productionWorld } from './effects/world.ts';
import { HashTables } from './hash-tables.ts';
import { lastGoodFile } from './last-good.ts';
import { LastGoodSaver } from './last-good-saver.ts';
import { LimitSlots } from './limit-slots.ts';
import type { RestartLimit } from './restart-limit.ts';
import { restoreLastGood } from './restore-last-good.ts';
import { SnapshotCompiler } from './snapshot-compiler.ts';
import { CounterMemories } from './worker-counters.ts';
import { workerHeapMb } from './worker-memory.ts';

export interface AgentOptions {
  readonly node: string;
  /** Holds the last good snapshot and the journal; made if missing. */
  readonly dataDirectory: string;
  /** Address that listeners bind; undefined is all. */
  readonly bind?: string | undefined;
  /** Dataplane workers, from 1. */
  readonly workers: number;
  readonly labels: Readonly<Record<string, string>>;
  /** `HOST:PORT` */
  readonly controllerAddress: string;
  readonly credentials: ChannelCredentials;
  /** Resolves when a controller in this process listens: no attempt to reach it is made before. */
  readonly controllerReady?: Promise<unknown> | undefined;
  /** File the access log is appended to, `-` for standard output, null for none. */
  readonly accessLog: string | null;
  readonly logger: Logger;
  /** How long requests in flight may take when a listener goes or the agent stops; 10 s. */
  readonly drainTimeoutMs?: number;
  /** Most memory of a worker's JavaScript heap, in MiB; see `workerHeapMb`. */
  readonly workerHeapMb?: number | undefined;
  /** Failures of one worker after which it is left out for a while. */
  readonly workerRestarts?: RestartLimit | undefined;
  /** False: none is written, to measure what it costs; true. */
  readonly journal?: boolean;
  /** The dataplane worker's program; another one for tests. */
  readonly workerEntry?: URL;
}

export interface AgentHandle {
  readonly admin: AgentAdmin;
  /** Drains, then cuts what is left. Resolves with the number of client connections that were cut. */
  stop(): Promise<{ readonly cut: number }>;
}

/** Each key is read for at least twice this time, longer than any session lasts. */
const TICKET_ROTATION_MS = 4 * 3_600_000;
const DRAIN_TIMEOUT_MS = 10_000;
const WORKER_ENTRY = new URL('./worker/main.ts', import.meta.url);

/**
 * Starts an agent: it serves what it served last, then follows the controller. Resolves when its threads are being
 * started; `admin.readiness()` tells when it serves.
 */
export async function startAgent(options: AgentOptions): Promise<AgentHandle> {
  const { logger } = options;
  const reusePort = await canReusePort();
  const workers = reusePort ? options.workers : 1;
  if (!reusePort && options.workers > 1)
    logger.warn('this system cannot spread one port over threads: one dataplane worker serves everything');

  const store = new ConfigurationStore();
  const limits = new LimitSlots(workers);
  const tickets = new TicketKeys();
  const rotation = setInterval(() => tickets.rotate(), TICKET_ROTATION_MS);
  const counters = new CounterMemories();
  const compiler = new SnapshotCompiler();
  const tables = new HashTables();
  const lastGood = lastGoodFile(options.dataDirectory);

  const saver = new LastGoodSaver({
    store,
    file: lastGood,
    world: productionWorld,
    onFailure: (error) => logger.error({ error: error.message }, 'the last good snapshot could not be saved'),
  });

  const host = new ActorHost({
    ...options,
    workers,
    reusePort,
    drainTimeoutMs: options.drainTimeoutMs ?? DRAIN_TIMEOUT_MS,
    journalDirectory: options.journal === false ? null : join(options.dataDirectory, 'journal'),
    workerHeapMb: options.workerHeapMb ?? workerHeapMb(workers),
    workerEntry: options.workerEntry ?? WORKER_ENTRY,
    store,
    limits,
    ticketKeys: tickets.memory,
    counters,
    tables,
    decode: compiler.decode,
    report: (detail) => admin.report(detail),
    onSettled: () => saver.changed(),
  });
  const admin = createAgentAdmin({ node: options.node, host, store, counters });
  host.start(restoreLastGood(lastGood, store, logger), options.controllerReady ?? Promise.resolve());

  let stopping: Promise<{ cut: number }> | null = null;
  const stop = async () => {
    clearInterval(rotation);
    const cut = await host.stop();
    await saver.save();
    await compiler.close();
    await tables.close();
    return { cut };
  };
  return {
    admin,
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
  };
}
