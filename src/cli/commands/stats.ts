import type { Command } from 'commander';
import type { StatsAnswer } from '../../observe/admin-answers.ts';
import { age } from '../age.ts';
import { describeCommand, type Run } from '../command.ts';
import { or } from '../manifest.ts';
import { count, plural, printStructured, printTable } from '../print.ts';
import type { Session } from '../session.ts';

type NodeStats = StatsAnswer['nodes'][number];

export function stats(run: Run): Command {
  return describeCommand('stats', 'Show what listeners, backends and endpoints of each node have done.', [
    ['novactl stats', 'of all nodes'],
    ['novactl stats --node edge-1', 'of one node'],
    ['novactl stats -o wide', 'with every endpoint, not only failing ones'],
  ])
    .option('--node <name>', 'only this node')
    .action((options: { node?: string }, command: Command) =>
      run(command, (session) => showStats(session, options.node)),
    );
}

async function showStats(session: Session, node: string | undefined): Promise<void> {
  const answer = await session.client.get('stats', { node });
  if (printStructured(session, { kind: 'List', items: answer.nodes })) return;
  if (answer.nodes.length === 0) {
    session.note(node === undefined ? 'No node has reported yet.' : `Node ${node} has not reported yet.`);
    return;
  }
  answer.nodes.forEach((report, index) => {
    if (index > 0) session.print('\n');
    showNode(session, report);
  });
}

function showNode(session: Session, report: NodeStats): void {
  const { paint, glyphs } = session;
  const facts = [
    `snapshot ${or(report.version.slice(0, 12), 'none')}`,
    plural(report.workers, 'worker'),
    `up ${age(report.startedAt, session.now)}`,
  ];
  const state = report.ready ? paint('good', 'ready') : paint('bad', `not ready: ${report.notReadyReason}`);
  session.print(
    `${paint('strong', `Node ${report.node}`)}  ${state} ${glyphs.dot} ${facts.join(` ${glyphs.dot} `)}\n`,
  );
  const totals = Object.entries(report.totals);
  if (totals.length > 0) {
    session.print('\n');
    printTable(
      session,
      [{ title: 'TOTAL' }, { title: 'VALUE', align: 'right' }],
      totals.map(([name, value]) => [name, figure(value)]),
    );
  }
  if (report.listeners.length > 0) {
    session.print('\n');
    printTable(
      session,
      [{ title: 'LISTENER' }, right('PORT'), { title: 'STATE' }, right('OPEN'), right('REQUESTS')],
      report.listeners.map((listener) => [
        listener.name,
        String(listener.port),
        { text: listener.state, tone: listener.state === 'failed' ? 'bad' : 'plain' },
        count(listener.openConnections),
        count(listener.requests),
      ]),
    );
  }
  if (report.clusters.length > 0) {
    session.print('\n');
    printTable(
      session,
      [{ title: 'BACKEND' }, right('REQUESTS'), right('CONNECTIONS'), right('PENDING'), { title: 'BREAKER' }],
      report.clusters.map((cluster) => [
        cluster.name,
        count(cluster.requests),
        count(cluster.connections),
        count(cluster.pendingRequests),
        { text: or(cluster.breaker, '-'), tone: cluster.breaker === 'open' ? 'bad' : 'plain' },
      ]),
    );
  }
  showEndpoints(session, report);
}

function showEndpoints(session: Session, report: NodeStats): void {
  const wide = session.output === 'wide' || report.endpoints.length <= 20;
  const shown = wide ? report.endpoints : report.endpoints.filter(({ health }) => health !== 'healthy');
  if (shown.length > 0) {
    session.print('\n');
    printTable(
      session,
      [
        { title: 'ENDPOINT' },
        { title: 'BACKEND' },
        { title: 'HEALTH' },
        right('REQUESTS'),
        right('ACTIVE'),
        right('FAILURES'),
        right('CONNECTIONS'),
        { title: 'REASON', prose: true },
      ],
      shown.map((endpoint) => [
        endpoint.endpoint,
        endpoint.cluster,
        {
          text: endpoint.health,
          tone: endpoint.health === 'healthy' ? 'good' : endpoint.health === 'failing' ? 'bad' : 'warn',
        },
        count(endpoint.requests),
        count(endpoint.activeRequests),
        count(endpoint.failures),
        count(endpoint.connections),
        { text: endpoint.reason, tone: 'warn' },
      ]),
    );
  }
  const hidden = report.endpoints.length - shown.length;
  if (hidden > 0) session.print(`\n${plural(hidden, 'healthy endpoint')} not shown; -o wide shows all.\n`);
}

function right(title: string): { title: string; align: 'right' } {
  return { title, align: 'right' };
}

function figure(value: number): string {
  return Number.isInteger(value) ? count(value) : String(Number(value.toPrecision(6)));
}
