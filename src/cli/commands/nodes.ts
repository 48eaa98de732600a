import type { Command } from 'commander';
import type { NodeView } from '../../model/admin.ts';
import { age } from '../age.ts';
import { describeCommand, type Run } from '../command.ts';
import { or } from '../manifest.ts';
import { printStructured, printTable } from '../print.ts';
import type { Session } from '../session.ts';
import type { Cell } from '../table.ts';

export function nodes(run: Run): Command {
  return describeCommand('nodes', 'List the nodes with the snapshot version each one serves.', [
    ['novactl nodes', 'which nodes are connected, ready and up to date'],
    ['novactl nodes -o json', 'with all that each node reports'],
  ])
    .alias('node')
    .action((_options, command: Command) => run(command, showNodes));
}

async function showNodes(session: Session): Promise<void> {
  const answer = await session.client.get('nodes');
  if (printStructured(session, { kind: 'List', items: answer.nodes })) return;
  if (answer.nodes.length === 0) {
    session.note('No node has connected yet.');
    return;
  }
  const wide = session.output === 'wide';
  printTable(
    session,
    [
      { title: 'NAME' },
      { title: 'READY' },
      { title: 'CONNECTED' },
      { title: 'VERSION' },
      { title: 'IN-SYNC' },
      { title: 'WORKERS', align: 'right' },
      { title: 'LISTENERS', align: 'right' },
      { title: 'REFUSED', align: 'right' },
      { title: 'UP' },
      { title: 'REASON', prose: true },
    ],
    answer.nodes.map((view) => row(view, session.now, wide)),
  );
}

function row(view: NodeView, now: number, wide: boolean): Cell[] {
  const { report } = view;
  const yesNo = (yes: boolean): Cell => ({ text: yes ? 'yes' : 'no', tone: yes ? 'good' : 'bad' });
  const version = or(view.acknowledged, '-');
  return [
    view.node,
    report === null ? '-' : yesNo(report.ready && view.connected),
    yesNo(view.connected),
    wide ? version : version.slice(0, 12),
    yesNo(view.wished === view.acknowledged),
    report === null ? '-' : String(report.workers),
    report === null ? '-' : String(report.listeners.length),
    report === null
      ? '-'
      : { text: String(report.failures.length), tone: report.failures.length > 0 ? 'bad' : 'plain' },
    report === null || !view.connected ? '-' : age(report.startedAt, now),
    { text: whyNot(view, now), tone: 'warn' },
  ];
}

function whyNot({ connected, since, report }: NodeView, now: number): string {
  if (!connected) return `not connected since ${age(since, now)}`;
  if (report === null) return 'no report yet';
  if (!report.ready) return report.notReadyReason;
  const [failure] = report.failures;
  return failure === undefined ? '' : `${failure.key}: ${failure.reason}: ${failure.message}`;
}
