// Tables as text: columns lined up with spaces, on a terminal and in a pipe alike, so that people and awk find the
// same. Colour is laid over it at the end and never counts as width. It knows nothing of what stands in the cells.

import { styleText } from 'node:util';

export type Colour = 'green' | 'red' | 'gray';

/** Text, or text with a colour where there are colours. */
export type Cell = string | { text: string; colour: Colour };

export interface Column {
  title: string;
  /** numbers stand at the right edge of their column */
  isNumber?: boolean;
}

/** Puts a colour on a text, or does not. */
export type Paint = (text: string, colour: Colour) => string;

export const PLAIN: Paint = (text) => text;
export const COLOURED: Paint = (text, colour) => styleText(colour, text, { validateStream: false });

const GAP = '  ';

/** A line with the titles, then one per row. No line ends in spaces. */
export function formatTable(columns: readonly Column[], rows: readonly (readonly Cell[])[], paint: Paint): string {
  const titles = columns.map(({ title }) => title);
  const widths = columns.map((_, index) => Math.max(...[titles, ...rows].map((row) => textOf(row[index]).length)));
  const line = (row: readonly Cell[]) =>
    columns
      .map((column, index) => padded(row[index] ?? '', widths[index] ?? 0, column, index === columns.length - 1, paint))
      .join(GAP)
      .trimEnd();
  return [titles, ...rows].map((row) => `${line(row)}\n`).join('');
}

function textOf(cell: Cell | undefined): string {
  return typeof cell === 'object' ? cell.text : (cell ?? '');
}

function padded(cell: Cell, width: number, { isNumber }: Column, isLast: boolean, paint: Paint): string {
  const text = textOf(cell);
  const painted = typeof cell === 'object' ? paint(text, cell.colour) : text;
  const padding = ' '.repeat(width - text.length);
  if (isNumber === true) return padding + painted;
  return isLast ? painted : painted + padding;
}
