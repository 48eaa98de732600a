import { setTimeout as delay } from 'node:timers/promises';
import type { ActorReport } from '../../model/actor.ts';
import type { ActorsAnswer } from '../../observe/admin-answers.ts';
import { humanDuration } from '../age.ts';
import { CommandFailure, EXIT } from '../failure.ts';
import { plural } from '../print.ts';
import type { Session } from '../session.ts';
import { visible } from '../width.ts';
import { type ActorChange, actorChanges, byAddress } from './changes.ts';
import { printActors } from './listing.ts';
import { openScreen } from './screen.ts';
import { type ActorSelection, selected, shownActors } from './selection.ts';

/** How long a change stays marked. */
const FRESH_MS = 5_000;

/** What one look gave: the actors, or why there was no answer. */
type Look =
  | { readonly ok: true; readonly answer: ActorsAnswer; readonly actors: ReadonlyMap<string, ActorReport> }
  | { readonly ok: false; readonly problem: string; readonly failure: CommandFailure };

/**
 * Looks again and again until it is told to quit. On a terminal the tree is redrawn in place with what changed marked;
 * elsewhere each change is a line. While no admin server answers, it says so and goes on asking: agents restart.
 */
export async function watchActors(
  session: Session,
  selection: ActorSelection,
  seconds: number,
): Promise<void> {
  if (session.output === 'yaml') throw new CommandFailure(EXIT.usage, '--watch prints a table or JSON lines');
  const quit = new AbortController();
  const stop = () => quit.abort();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  try {
    const look = () => lookOnce(session, selection);
    const first = await look();
    // A wrong address is told at once; only who has been there may go away.
    if (!first.ok) throw first.failure;
    const onTerminal = session.columns !== undefined || session.terminal.stdout.isTTY === true;
    const watch = onTerminal && session.output !== 'json' ? redraw : printLines;
    await watch({ session, selection, seconds, quit, look }, first);
  } finally {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  }
}

interface Watch {
  readonly session: Session;
  readonly selection: ActorSelection;
  readonly seconds: number;
  readonly quit: AbortController;
  readonly look: () => Promise<Look>;
}

async function lookOnce(session: Session, selection: ActorSelection): Promise<Look> {
  try {
    const answer = await session.client.get('actors', { node: selection.node });
    const wanted = answer.nodes.flatMap(({ actors }) => selected(actors, selection));
    return { ok: true, answer, actors: byAddress(wanted) };
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    // Without the advice for who has just typed the address.
    return { ok: false, problem: error.message.split(': ')[0]!, failure: error };
  }
}

/** False: it was told to quit. */
async function pause({ quit, seconds }: Watch): Promise<boolean> {
  try {
    await delay(seconds * 1_000, undefined, { signal: quit.signal });
    return true;
  } catch {
    return false;
  }
}

async function redraw(watch: Watch, first: Look & { readonly ok: true }): Promise<void> {
  const { session, selection, quit, look } = watch;
  const { terminal } = session;
  const changedAt = new Map<string, number>();
  let latest = first;
  let gone: { readonly since: number; readonly problem: string } | null = null;
  let remark = '';
  const screen = openScreen(terminal, () => quit.abort(), draw);
  function draw(): void {
    const now = terminal.now();
    const fresh = new Set<string>();
    for (const [address, at] of changedAt)
      if (now - at < FRESH_MS) fresh.add(address);
      else changedAt.delete(address);
    const lines: string[] = [];
    const frame: Session = {
      ...session,
      now,
      columns: session.output === 'wide' ? undefined : terminal.stdout.columns,
      print: (text) => void lines.push(...text.replace(/\n$/, '').split('\n')),
    };
    const clock = new Date(now).toTimeString().slice(0, 8);
    const title = `${clock}  ${plural(latest.actors.size, 'actor')}, * changed in the last ${FRESH_MS / 1_000} s, q quits`;
    const trouble =
      gone === null ? remark : `${visible(gone.problem)}, for ${humanDuration(now - gone.since)}`;
    lines.push(session.paint('dim', title), session.paint(gone === null ? 'good' : 'bad', trouble));
    printActors(frame, shownActors(latest.answer, selection), fresh);
    screen.show(lines, (more) =>
      session.paint('dim', `and ${plural(more, 'line')} more: a larger terminal or a path shows them`),
    );
  }
  try {
    draw();
    while (await pause(watch)) {
      const next = await look();
      const now = terminal.now();
      if (!next.ok) gone ??= { since: now, problem: next.problem };
      else {
        if (gone !== null) remark = `answers again, after ${humanDuration(now - gone.since)}`;
        gone = null;
        for (const change of actorChanges(latest.actors, next.actors))
          if (change.type !== 'ended') changedAt.set(change.actor.address, now);
        latest = next;
      }
      draw();
    }
  } finally {
    screen.close();
  }
}

async function printLines(watch: Watch, first: Look & { readonly ok: true }): Promise<void> {
  const { session, look } = watch;
  const say = (text: string, value: Readonly<Record<string, unknown>>) => {
    const at = session.terminal.now();
    if (session.output === 'json') session.print(`${JSON.stringify({ at, ...value })}\n`);
    else session.print(`${new Date(at).toISOString().slice(11, 23)}  ${text}\n`);
  };
  let latest = first;
  let away = false;
  say(`watching ${plural(first.actors.size, 'actor')}`, {
    type: 'watching',
    actors: [...first.actors.values()],
  });
  while (await pause(watch)) {
    const next = await look();
    if (!next.ok) {
      if (!away) say(`${visible(next.problem)}; asking on`, { type: 'away', problem: next.problem });
      away = true;
      continue;
    }
    if (away) say('answers again', { type: 'back' });
    away = false;
    for (const change of actorChanges(latest.actors, next.actors))
      say(changeText(session, change), { ...change });
    latest = next;
  }
}

function changeText({ glyphs }: Session, change: ActorChange): string {
  if (change.type === 'ended') return `${change.before.address}  ended, was ${change.before.state}`;
  const { address, state, reason, restarts } = change.actor;
  const why = visible(reason);
  if (change.type === 'started') return `${address}  ${state}  ${why}`;
  const { before } = change;
  const times = restarts === before.restarts ? '' : `  ${plural(restarts, 'restart')}`;
  const moved = before.state === state ? `${state} again` : `${before.state} ${glyphs.arrow} ${state}`;
  return `${address}  ${moved}  ${why}${times}`;
}
