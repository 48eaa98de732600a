import type { Paint, Tone } from './paint.ts';
import { displayWidth, truncate, visible } from './width.ts';

export interface Column {
  readonly title: string;
  readonly align?: 'right';
}

export type Cell = string | { readonly text: string; readonly tone: Tone };

export interface TableOptions {
  readonly paint: Paint;
  /** Cuts the last column to this width of the whole; undefined leaves it whole. */
  readonly columns?: number | undefined;
  readonly ellipsis?: string;
}

const GAP = '   ';

/** A table as kubectl draws it: no lines, three spaces between columns, no space at the end of a line. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  options: TableOptions,
): string {
  const cells = rows.map((row) =>
    columns.map((_, index) => {
      const cell = row[index] ?? '';
      return typeof cell === 'string'
        ? { text: visible(cell), tone: 'plain' as const }
        : { text: visible(cell.text), tone: cell.tone };
    }),
  );
  const header = columns.map(({ title }) => ({ text: title, tone: 'strong' as const }));
  const widths = columns.map(({ title }, index) =>
    Math.max(displayWidth(title), ...cells.map((row) => displayWidth(row[index]?.text ?? ''))),
  );
  const last = columns.length - 1;
  const before = widths.slice(0, last).reduce((sum, width) => sum + width + GAP.length, 0);
  const room = options.columns === undefined ? Infinity : Math.max(16, options.columns - before);
  const line = (row: readonly { text: string; tone: Tone }[]): string => {
    let text = '';
    row.forEach((cell, index) => {
      const shown = index === last ? truncate(cell.text, room, options.ellipsis) : cell.text;
      const padding = ' '.repeat(Math.max(0, (widths[index] ?? 0) - displayWidth(shown)));
      const painted = options.paint(cell.tone, shown);
      text +=
        columns[index]?.align === 'right'
          ? `${padding}${painted}`
          : `${painted}${index === last ? '' : padding}`;
      if (index !== last) text += GAP;
    });
    return `${text.trimEnd()}\n`;
  };
  return [header, ...cells].map(line).join('');
}
