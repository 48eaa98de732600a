import { age } from '../age.ts';
import type { Glyphs } from '../paint.ts';
import { count, printTable } from '../print.ts';
import type { Session } from '../session.ts';
import type { Cell, Column } from '../table.ts';
import { displayWidth } from '../width.ts';
import { actorTone, type ShownActor } from './tree.ts';

const GAP = 3;
/** What is left of names and reasons where the terminal is narrow. */
const LABEL_LEAST = 28;
const REASON_LEAST = 12;

interface Row {
  readonly lead: string;
  readonly shown: ShownActor;
}

/** `fresh`: addresses of actors that changed a moment ago, which are marked. */
export function printActors(
  session: Session,
  roots: readonly ShownActor[],
  fresh: ReadonlySet<string> = new Set(),
): void {
  const rows = roots.flatMap((root) => flat(root, session.glyphs, '', ''));
  const columns = fitting(session, rows, fresh);
  const titles: Column[] = columns.map(({ title, align, prose }) => ({
    title,
    ...(align === undefined ? {} : { align }),
    ...(prose === undefined ? {} : { prose }),
  }));
  printTable(
    session,
    titles,
    rows.map((row) => columns.map(({ cell }) => cell(row, fresh))),
  );
}

interface ActorColumn extends Column {
  readonly cell: (row: Row, fresh: ReadonlySet<string>) => Cell;
}

function flat(shown: ShownActor, glyphs: Glyphs, lead: string, below: string): Row[] {
  const rows: Row[] = [{ lead, shown }];
  for (const [index, child] of shown.children.entries()) {
    const last = index === shown.children.length - 1;
    rows.push(
      ...flat(
        child,
        glyphs,
        `${below}${last ? glyphs.lastBranch : glyphs.branch}`,
        `${below}${last ? glyphs.gap : glyphs.trunk}`,
      ),
    );
  }
  return rows;
}

/**
 * On a narrow terminal go, one after the other: the thread, which the tree shows too; mailboxes and restarts, where
 * there are none; then reasons of those that are well and names get shorter. Nothing goes of who is not well.
 */
function fitting(session: Session, rows: readonly Row[], fresh: ReadonlySet<string>): ActorColumn[] {
  const all = rows.flatMap(({ shown }) => shown.actors);
  const columns = [...actorColumns(session, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY)];
  if (session.columns === undefined) return columns;
  const width = (column: ActorColumn): number =>
    Math.max(
      displayWidth(column.title),
      ...rows.map((row) => {
        const cell = column.cell(row, fresh);
        return displayWidth(typeof cell === 'string' ? cell : cell.text);
      }),
    );
  const widths = new Map(columns.map((column) => [column.title, width(column) + GAP]));
  const sum = () => columns.reduce((total, { title }) => total + widths.get(title)!, -GAP);
  const drop = (title: string, unused: boolean) => {
    const index = columns.findIndex((column) => column.title === title);
    if (unused && sum() > session.columns!) columns.splice(index, 1);
  };
  drop('THREAD', true);
  drop(
    'MAILBOX',
    all.every(({ mailbox }) => mailbox === 0),
  );
  drop(
    'RESTARTS',
    all.every(({ restarts }) => restarts === 0),
  );
  if (sum() <= session.columns) return columns;
  const others = sum() - widths.get('ACTOR')! - widths.get('REASON')! + GAP;
  const room = session.columns - others - GAP;
  const label = Math.max(LABEL_LEAST, Math.min(widths.get('ACTOR')! - GAP, room - REASON_LEAST));
  const kept = new Set(columns.map(({ title }) => title));
  return actorColumns(session, label, Math.max(REASON_LEAST, room - label)).filter(({ title }) =>
    kept.has(title),
  );
}

function actorColumns(session: Session, labelMost: number, reasonMost: number): ActorColumn[] {
  const { glyphs } = session;
  const sum = (shown: ShownActor, of: 'restarts' | 'mailbox'): number =>
    shown.actors.reduce((total, actor) => total + actor[of], 0);
  return [
    {
      title: 'ACTOR',
      cell: ({ lead, shown }, fresh) => {
        const whole = session.output === 'wide' && shown.actors.length === 1;
        const name = whole ? shown.actors[0]!.address : shown.label;
        const text = `${lead}${shortened(name, labelMost - displayWidth(lead), glyphs.ellipsis)}`;
        return isFresh(shown, fresh) ? { text, tone: 'strong' } : text;
      },
    },
    {
      title: 'STATE',
      cell: ({ shown }, fresh) => {
        const [first] = shown.actors;
        const marked = isFresh(shown, fresh);
        const tone = actorTone(first!);
        return {
          text: marked ? `${first!.state} *` : first!.state,
          tone: marked && tone === 'plain' ? 'strong' : tone,
        };
      },
    },
    {
      title: 'SINCE',
      // Of many, the one that changed last.
      cell: ({ shown }) => age(Math.max(...shown.actors.map(({ since }) => since)), session.now),
    },
    {
      title: 'RESTARTS',
      align: 'right',
      cell: ({ shown }) => {
        const restarts = sum(shown, 'restarts');
        return { text: count(restarts), tone: restarts > 0 ? 'warn' : 'plain' };
      },
    },
    {
      title: 'MAILBOX',
      align: 'right',
      cell: ({ shown }) => {
        const waiting = sum(shown, 'mailbox');
        return { text: count(waiting), tone: waiting > 100 * shown.actors.length ? 'warn' : 'plain' };
      },
    },
    {
      title: 'THREAD',
      cell: ({ shown }) => {
        const threads = new Set(shown.actors.map(({ thread }) => thread));
        return threads.size === 1 ? [...threads][0]! : `${count(threads.size)} threads`;
      },
    },
    {
      title: 'REASON',
      prose: true,
      cell: ({ shown }) => {
        const reasons = [...new Set(shown.actors.map(({ reason }) => reason))].filter((one) => one !== '');
        const text = reasons.length > 3 ? `${count(reasons.length)} reasons` : reasons.join(', ') || '-';
        const tone = actorTone(shown.actors[0]!);
        if (tone !== 'plain') return { text, tone };
        return displayWidth(text) <= reasonMost
          ? text
          : `${text.slice(0, reasonMost - displayWidth(glyphs.ellipsis))}${glyphs.ellipsis}`;
      },
    },
  ];
}

function isFresh(shown: ShownActor, fresh: ReadonlySet<string>): boolean {
  return fresh.size > 0 && shown.actors.some(({ address }) => fresh.has(address));
}

/** Without its middle: the kind stands in front, what tells names apart mostly at the end. */
function shortened(text: string, most: number, ellipsis: string): string {
  if (displayWidth(text) <= most) return text;
  const room = Math.max(2, most - displayWidth(ellipsis));
  const front = Math.floor(room / 2);
  return `${text.slice(0, front)}${ellipsis}${text.slice(text.length - (room - front))}`;
}
