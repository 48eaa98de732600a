import type { Command } from 'commander';
import type { ActorReport } from '../../model/actor.ts';
import { age } from '../age.ts';
import { describeCommand, type Run } from '../command.ts';
import type { Glyphs } from '../paint.ts';
import { count, printStructured, printTable } from '../print.ts';
import type { Session } from '../session.ts';
import type { Cell } from '../table.ts';

export function actors(run: Run): Command {
  return describeCommand(
    'actors',
    'Show the tree of actors with state, reason of the last transition and restarts.',
    [
      ['novactl actors', 'of all nodes'],
      ['novactl actors --node edge-1 -o wide', 'of one node, with full addresses'],
    ],
  )
    .alias('actor')
    .option('--node <name>', 'only this node')
    .action((options: { node?: string }, command: Command) =>
      run(command, (session) => showActors(session, options.node)),
    );
}

async function showActors(session: Session, node: string | undefined): Promise<void> {
  const answer = await session.client.get('actors', { node });
  if (printStructured(session, { kind: 'List', items: answer.nodes })) return;
  const rows = answer.nodes.flatMap(({ actors: all }) => {
    const tree = actorTree(all);
    return tree.flatMap((root) => treeRows(root, session, '', ''));
  });
  if (rows.length === 0) {
    session.note('No node has reported its actors yet.');
    return;
  }
  printTable(
    session,
    [
      { title: 'ACTOR' },
      { title: 'STATE' },
      { title: 'REASON' },
      { title: 'SINCE' },
      { title: 'RESTARTS', align: 'right' },
      { title: 'MAILBOX', align: 'right' },
      { title: 'THREAD' },
    ],
    rows,
  );
}

export interface ActorTree {
  readonly actor: ActorReport;
  readonly label: string;
  readonly children: readonly ActorTree[];
}

/** The actors under their parents; those whose parent is not there are roots. */
export function actorTree(actors: readonly ActorReport[]): ActorTree[] {
  const known = new Set(actors.map(({ address }) => address));
  const children = new Map<string | null, ActorReport[]>();
  for (const actor of actors) {
    const parent =
      actor.parent !== null && actor.parent !== actor.address && known.has(actor.parent)
        ? actor.parent
        : null;
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [actor]);
    else siblings.push(actor);
  }
  const grow = (parent: ActorReport | null): ActorTree[] =>
    (children.get(parent?.address ?? null) ?? []).map((actor) => ({
      actor,
      label: relativeAddress(actor.address, parent?.address),
      children: grow(actor),
    }));
  return grow(null);
}

/** The address without what it has in common with its parent's. */
function relativeAddress(address: string, parent: string | undefined): string {
  if (parent === undefined) return address;
  const segments = address.split('/');
  const parents = parent.split('/');
  let common = 0;
  while (common < segments.length - 1 && segments[common] === parents[common]) common += 1;
  return segments.slice(common).join('/');
}

function treeRows(tree: ActorTree, session: Session, lead: string, childLead: string): Cell[][] {
  const { actor } = tree;
  const { glyphs } = session;
  return [
    [
      `${lead}${session.output === 'wide' ? actor.address : tree.label}`,
      { text: actor.state, tone: stateTone(actor.state) },
      actor.reason === '' ? '-' : actor.reason,
      age(actor.since, session.now),
      { text: count(actor.restarts), tone: actor.restarts > 0 ? 'warn' : 'plain' },
      { text: count(actor.mailbox), tone: actor.mailbox > 100 ? 'warn' : 'plain' },
      actor.thread,
    ],
    ...tree.children.flatMap((child, index) =>
      branch(child, session, childLead, index === tree.children.length - 1, glyphs),
    ),
  ];
}

function branch(child: ActorTree, session: Session, lead: string, last: boolean, glyphs: Glyphs): Cell[][] {
  return treeRows(
    child,
    session,
    `${lead}${last ? glyphs.lastBranch : glyphs.branch}`,
    `${lead}${last ? glyphs.gap : glyphs.trunk}`,
  );
}

function stateTone(state: string): 'plain' | 'warn' | 'bad' {
  if (/fail|crash|refus|gave/.test(state)) return 'bad';
  return /drain|backoff|waiting|retry|open$/.test(state) ? 'warn' : 'plain';
}
