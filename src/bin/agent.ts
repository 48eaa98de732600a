import type { Logger } from 'pino';
import { startAgent } from '../agent/agent.ts';
import { openAdmin } from './admin.ts';
import { openDataDirectory } from './data-directory.ts';
import { type Running, runUntilSignal } from './lifecycle.ts';
import { clientTransport, type TransportOptions } from './transport.ts';

export interface AgentOptions extends TransportOptions {
  readonly node: string;
  readonly controller: string;
  readonly data: string;
  readonly bind?: string;
  readonly workers: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly admin: string;
  readonly accessLog?: string;
  readonly drainTimeout: number;
}

export function runAgent(options: AgentOptions, logger: Logger): Promise<void> {
  return runUntilSignal(logger, () => startAgentProgram(options, logger));
}

/** Configuration in, traffic through. */
async function startAgentProgram(options: AgentOptions, logger: Logger): Promise<Running> {
  const opened = new AsyncDisposableStack();
  try {
    const transport = clientTransport(options, options.controller);
    const data = await openDataDirectory(options.data);
    opened.defer(() => data.release());
    // Closed after the agent, so that /readyz tells a load balancer of the drain.
    const admin = await openAdmin(options.admin, ['agent'], logger);
    opened.defer(() => admin.close());
    const agent = await startAgent({
      node: options.node,
      dataDirectory: options.data,
      bind: options.bind,
      workers: options.workers,
      labels: options.labels ?? {},
      controllerAddress: options.controller,
      credentials: transport.credentials,
      accessLog: options.accessLog ?? null,
      drainTimeoutMs: options.drainTimeout,
      logger,
    });
    admin.attachAgent(agent.admin);
    opened.defer(async () => {
      const { cut } = await agent.stop();
      if (cut > 0) logger.warn({ cut }, 'connections cut at the drain deadline');
    });
    logger.info(
      { node: options.node, controller: options.controller, admin: admin.address, data: options.data },
      'agent runs',
    );
    return { reload: async () => transport.reload(), stop: () => opened.disposeAsync() };
  } catch (error) {
    await opened.disposeAsync();
    throw error;
  }
}
