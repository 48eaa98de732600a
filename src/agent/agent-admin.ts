import type { AgentAdmin } from '../model/admin.ts';
import type { NodeReport, ReportDetail } from '../model/report.ts';
import type { ActorHost } from './actor-host.ts';
import type { ConfigurationStore } from './configuration-store.ts';
import { mergeReports } from './node-report.ts';
import { readiness } from './readiness.ts';
import { shownActors } from './shown-actors.ts';
import type { CounterMemories } from './worker-counters.ts';

/** What the admin server and the controller are told of an agent. */
export function createAgentAdmin(options: {
  readonly node: string;
  readonly host: ActorHost;
  readonly store: ConfigurationStore;
  readonly counters: CounterMemories;
}): AgentAdmin {
  const { host, store, counters } = options;
  const startedAt = Date.now();
  const ready = () =>
    readiness({
      settled: store.settled,
      streamProblem: host.streamProblem,
      workers: host.workers(),
      ended: host.ended,
    });
  return {
    async report(detail: ReportDetail): Promise<NodeReport> {
      const reports = await host.workerReports(detail);
      const { ready: isReady, reasons } = ready();
      return {
        detail,
        node: options.node,
        version: store.servingVersion,
        ready: isReady,
        notReadyReason: reasons.join('; '),
        workers: reports.length,
        startedAt,
        failures: store.failures,
        ...mergeReports(reports, detail),
        actors: [...shownActors(host.actors(), detail), ...reports.flatMap((report) => report.actors)],
        totals: counters.totals(),
      };
    },
    resources: () => store.serving,
    readiness: ready,
    counters: () => counters.list(),
    actorRestarts: () => host.restarts,
  };
}
