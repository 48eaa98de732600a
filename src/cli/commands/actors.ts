import { type Command, InvalidArgumentError } from 'commander';
import { printActors } from '../actors/listing.ts';
import { type ActorSelection, selected, shownActors } from '../actors/selection.ts';
import { watchActors } from '../actors/watch.ts';
import { describeCommand, type Run } from '../command.ts';
import { printStructured } from '../print.ts';
import type { Session } from '../session.ts';

interface ActorsOptions {
  readonly node?: string;
  readonly all?: boolean;
  readonly watch?: boolean;
  readonly interval: number;
}

export function actors(run: Run): Command {
  return describeCommand(
    'actors',
    'Show the tree of actors: state, since when, restarts, waiting events, thread and reason of the last transition. Many siblings in the same state are told together.',
    [
      ['novactl actors', 'of all nodes'],
      ['novactl actors listener/default/web', 'those with this path in their address'],
      ['novactl actors --node edge-1 --all -o wide', 'every one of a node, with full addresses'],
      ['novactl actors --watch', 'redraw as they change; q quits'],
      ['novactl actors --watch | tee changes.txt', 'a line for each change'],
    ],
  )
    .alias('actor')
    .argument('[path]', 'only actors with this path in their address, and what is above them')
    .option('--node <name>', 'only this node')
    .option('--all', 'one line for each actor, however many are alike')
    .option('-w, --watch', 'look again and again, and mark what changed')
    .option('--interval <seconds>', 'how often --watch looks', interval, 1)
    .action((path: string | undefined, options: ActorsOptions, command: Command) =>
      run(command, (session) => {
        const selection = { path, node: options.node, all: options.all };
        return options.watch === true
          ? watchActors(session, selection, options.interval)
          : showActors(session, selection);
      }),
    );
}

async function showActors(session: Session, selection: ActorSelection): Promise<void> {
  const answer = await session.client.get('actors', { node: selection.node });
  const items = answer.nodes.map((one) => ({ ...one, actors: selected(one.actors, selection) }));
  if (printStructured(session, { kind: 'List', items })) return;
  const roots = shownActors(answer, selection);
  if (roots.length > 0) printActors(session, roots);
  else if (selection.path !== undefined) session.note(`No actor has ${selection.path} in its address.`);
  else session.note('No node has reported its actors yet.');
}

function interval(text: string): number {
  const value = Number(text);
  if (!(value >= 0.1 && value <= 3_600))
    throw new InvalidArgumentError('It is not a number of seconds from 0.1 to 3600.');
  return value;
}
