import type { ChannelCredentials } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { startAgent } from '../agent/agent.ts';
import type { AdminServer } from './admin.ts';

/** What the user may say of an agent, in any program that has one. */
export interface AgentFlags {
  readonly node: string;
  readonly data: string;
  readonly bind?: string;
  readonly workers: number;
  /** MiB */
  readonly workerMemory?: number;
  readonly workerRestarts?: { readonly restarts: number; readonly withinMs: number };
  readonly labels?: Readonly<Record<string, string>>;
  readonly accessLog?: string;
  readonly drainTimeout: number;
  readonly journal?: 'on' | 'off';
}

export interface Controller {
  /** `HOST:PORT` or `unix:/path` */
  readonly address: string;
  readonly credentials: ChannelCredentials;
  /** Settles when it listens, where that is known. */
  readonly ready?: Promise<unknown>;
}

/** Starts an agent, shows it on the admin server, and drains it when `opened` is disposed of. */
export async function openAgent(
  opened: AsyncDisposableStack,
  flags: AgentFlags,
  controller: Controller,
  admin: AdminServer,
  logger: Logger,
): Promise<void> {
  const agent = await startAgent({
    node: flags.node,
    dataDirectory: flags.data,
    bind: flags.bind,
    workers: flags.workers,
    workerHeapMb: flags.workerMemory,
    workerRestarts: flags.workerRestarts,
    labels: flags.labels ?? {},
    controllerAddress: controller.address,
    credentials: controller.credentials,
    controllerReady: controller.ready,
    accessLog: flags.accessLog ?? null,
    drainTimeoutMs: flags.drainTimeout,
    journal: flags.journal !== 'off',
    logger,
  });
  opened.defer(async () => {
    const { cut } = await agent.stop();
    if (cut > 0) logger.warn({ cut }, 'connections cut at the drain deadline');
  });
  admin.attachAgent(agent.admin);
}
