import type { Logger } from 'pino';
import { openAdmin } from './admin.ts';
import { openDataDirectory } from './data-directory.ts';
import { type Running, runUntilSignal } from './lifecycle.ts';
import { type AgentFlags, openAgent } from './open-agent.ts';
import { clientTransport, type TransportOptions } from './transport.ts';

export interface AgentOptions extends TransportOptions, AgentFlags {
  readonly controller: string;
  readonly admin: string;
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
    const controller = { address: options.controller, credentials: transport.credentials };
    await openAgent(opened, options, controller, admin, logger);
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
