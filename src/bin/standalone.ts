import { join } from 'node:path';
import { credentials, ServerCredentials } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { startController } from '../control/controller.ts';
import { openAdmin } from './admin.ts';
import { openConfiguration } from './configuration.ts';
import { openDataDirectory } from './data-directory.ts';
import { type Running, runUntilSignal } from './lifecycle.ts';
import { type AgentFlags, openAgent } from './open-agent.ts';

export interface StandaloneOptions extends AgentFlags {
  readonly config: string;
  readonly admin: string;
}

export function runStandalone(options: StandaloneOptions, logger: Logger): Promise<void> {
  return runUntilSignal(logger, () => startStandalone(options, logger));
}

/** Controller, agent and data plane in one process; they speak gRPC over a socket that only this user may open. */
export async function startStandalone(
  options: StandaloneOptions,
  logger: Logger,
): Promise<Running & { readonly admin: string }> {
  const opened = new AsyncDisposableStack();
  try {
    const data = await openDataDirectory(options.data);
    opened.defer(() => data.release());
    // Closed after the agent, so that /readyz tells a load balancer of the drain.
    const admin = await openAdmin(options.admin, ['controller', 'agent'], logger);
    opened.defer(() => admin.close());

    const source = openConfiguration(options.config, join(options.data, 'last-good-objects.json'), logger);
    const listen = `unix:${data.socket('control')}`;
    const plaintext = { server: ServerCredentials.createInsecure(), client: credentials.createInsecure() };
    // The agent serves its last good snapshot while the manifests are still being read.
    const starting = startController({ source, listen, credentials: plaintext.server, logger });
    opened.defer(() => starting.then((controller) => controller.stop()).catch(() => {}));
    const stream = { address: listen, credentials: plaintext.client, ready: starting.catch(() => {}) };
    await openAgent(opened, options, stream, admin, logger);
    admin.attachController((await starting).admin);
    logger.info({ admin: admin.address, config: options.config, data: options.data }, 'standalone runs');
    return { admin: admin.address, reload: () => source.reload(), stop: () => opened.disposeAsync() };
  } catch (error) {
    await opened.disposeAsync();
    throw error;
  }
}
