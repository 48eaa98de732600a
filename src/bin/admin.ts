import type { Logger } from 'pino';
import type { AgentAdmin, ControllerAdmin } from '../model/admin.ts';
import type { NodeReport } from '../model/report.ts';
import { startAdmin } from '../observe/admin.ts';
import { createMetrics } from '../observe/metrics.ts';
import { VERSION } from '../os/version.ts';
import { StartError } from './exit-code.ts';

export interface AdminServer {
  readonly address: string;
  /** Shows the controller, once it runs. */
  attachController(controller: ControllerAdmin): void;
  /** Shows the agent, once it runs. */
  attachAgent(agent: AgentAdmin): void;
  close(): Promise<void>;
}

/**
 * Opens the admin server before anything else starts: a taken port ends the program before it serves, and probes
 * are answered ("not ready: starting") from the first moment.
 */
export async function openAdmin(
  listen: string,
  roles: readonly ('controller' | 'agent')[],
  logger: Logger,
): Promise<AdminServer> {
  const controller = lateController();
  const agent = lateAgent();
  const metrics = createMetrics({
    version: VERSION,
    agent: roles.includes('agent') ? agent.admin : undefined,
  });
  const server = await startAdmin({
    listen,
    metrics,
    version: VERSION,
    controller: roles.includes('controller') ? controller.admin : undefined,
    agent: roles.includes('agent') ? agent.admin : undefined,
    logger,
  }).catch((error: Error) => {
    metrics.close();
    throw new StartError(`--admin ${listen}: ${error.message}`);
  });
  return {
    address: server.address,
    attachController: controller.attach,
    attachAgent: agent.attach,
    async close() {
      metrics.close();
      await server.close();
    },
  };
}

const STARTING = { ready: false, reasons: ['starting'] };

function lateController(): { admin: ControllerAdmin; attach(controller: ControllerAdmin): void } {
  let real: ControllerAdmin | null = null;
  return {
    attach(controller) {
      real = controller;
    },
    admin: {
      objects: () => real?.objects() ?? [],
      problems: () => real?.problems() ?? [],
      resources: () => real?.resources() ?? new Map(),
      nodes: () => real?.nodes() ?? [],
      refresh: async (except) => real?.refresh(except),
      readiness: () => real?.readiness() ?? STARTING,
    },
  };
}

function lateAgent(): { admin: AgentAdmin; attach(agent: AgentAdmin): void } {
  let real: AgentAdmin | null = null;
  const attached = Promise.withResolvers<AgentAdmin>();
  return {
    attach(agent) {
      real = agent;
      attached.resolve(agent);
    },
    admin: {
      report: async (detail): Promise<NodeReport> => (await attached.promise).report(detail),
      resources: () => real?.resources() ?? new Map(),
      readiness: () => real?.readiness() ?? STARTING,
      counters: () => real?.counters() ?? [],
      actorRestarts: () => real?.actorRestarts() ?? 0,
    },
  };
}
