import type { Paint, Tone } from './paint.ts';
import { displayWidth, visible } from './width.ts';

export interface Column {
  readonly title: string;
  readonly align?: 'right';
  /** Sentences: in the last column, what does not fit on a terminal goes below its row, where it can be read. */
  readonly prose?: boolean;
}

export type Cell = string | { readonly text: string; readonly tone: Tone };

export interface TableOptions {
  readonly paint: Paint;
  /** Width of the terminal; undefined where nobody looks at one. */
  readonly columns?: number | undefined;
}

const GAP = '   ';

/**
 * A table as kubectl draws it: no lines, three spaces between columns, no space at the end of a line.
 */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  options: TableOptions,
): string {
  const cells = rows.map((row) => columns.map((_, index) => shownCell(row[index] ?? '')));
  const header = columns.map(({ title }) => ({ text: title, tone: 'strong' as const }));
  const widths = columns.map(({ title }, index) =>
    Math.max(displayWidth(title), ...cells.map((row) => displayWidth(row[index]?.text ?? ''))),
  );
  const last = columns.length - 1;
  const before = widths.slice(0, last).reduce((sum, width) => sum + width + GAP.length, 0);
  const fits = (cell: ShownCell): boolean =>
    columns[last]?.prose !== true ||
    cell.text === '' ||
    options.columns === undefined ||
    before + displayWidth(cell.text) <= options.columns;
  const line = (row: readonly ShownCell[], isHeader: boolean): string => {
    const below = fits(row[last]!) ? undefined : row[last];
    const parts = (below === undefined ? row : row.slice(0, last)).map((cell, index) => {
      const padding = ' '.repeat(Math.max(0, (widths[index] ?? 0) - displayWidth(cell.text)));
      const painted = options.paint(cell.tone, cell.text);
      return columns[index]?.align === 'right' ? `${padding}${painted}` : `${painted}${padding}`;
    });
    const text = `${parts.join(GAP).trimEnd()}\n`;
    return below === undefined || isHeader ? text : `${text}${GAP}${options.paint(below.tone, below.text)}\n`;
  };
  return [line(header, true), ...cells.map((row) => line(row, false))].join('');
}

interface ShownCell {
  readonly text: string;
  readonly tone: Tone;
}

function shownCell(cell: Cell): ShownCell {
  return typeof cell === 'string'
    ? { text: visible(cell), tone: 'plain' }
    : { text: visible(cell.text), tone: cell.tone };
}
