import { recordId } from '../supervisors/record.ts';
import type { Line } from './world/recorder.ts';

/** The last events of a run for a person: time, actor, event, state and reason; what the world did between them. */
export function timeline(lines: readonly Line[], count: number): string {
  const rows = lines
    .filter((line) => !isRoutine(line))
    .slice(-count)
    .map((line) =>
      'note' in line
        ? { at: seconds(line.at), note: line.note }
        : {
            at: seconds(line.at),
            id: recordId(line.record),
            actor: line.record.actor.slice(line.record.actor.indexOf('/') + 1),
            event: brief(line.record.event),
            state: line.record.state ?? line.record.outcome ?? '',
            reason: line.record.reason ?? '',
          },
    );
  const width = (column: 'id' | 'actor' | 'event' | 'state') =>
    Math.max(0, ...rows.map((row) => row[column]?.length ?? 0));
  const [id, actor, event, state] = [width('id'), width('actor'), width('event'), width('state')];
  return rows
    .map((row) =>
      row.note !== undefined
        ? `${row.at}  --- ${row.note}`
        : `${row.at}  ${row.id.padEnd(id)}  ${row.actor.padEnd(actor)}  ${row.event.padEnd(event)}  ${row.state.padEnd(state)}  ${row.reason}`.trimEnd(),
    )
    .join('\n');
}

/** The report that goes out every few seconds says nothing about how it came to this. */
function isRoutine(line: Line): boolean {
  return 'record' in line && line.record.reason === 'report_due';
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(3)} s`.padStart(11);
}

const SHOWN = 48;

/** `worker.prepared worker 1 rollout 3`: the type and the fields that are a word long. */
function brief(event: { readonly type: string }): string {
  const fields = Object.entries(event).flatMap(([name, value]) => {
    if (name === 'type' || name === 'at' || name === 'draw') return [];
    if (typeof value === 'number' || typeof value === 'boolean') return [`${name} ${value}`];
    if (typeof value === 'string' && value !== '') return [`${name} ${value.slice(0, 12)}`];
    if (Array.isArray(value) && value.length > 0) return [`${name} ${names(value)}`];
    return [];
  });
  const text = [event.type, ...fields].join(' ');
  return text.length > SHOWN ? `${text.slice(0, SHOWN - 1)}…` : text;
}

function names(values: readonly unknown[]): string {
  return values
    .map((value) =>
      typeof value === 'object' && value !== null && 'key' in value ? String(value.key) : String(value),
    )
    .join(',');
}
