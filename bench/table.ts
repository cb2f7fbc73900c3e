// Columns of text for a terminal: widths from the contents, numbers to the right, colour added after the width is known. Where a
// table would be too wide, its first column is broken into lines: figures are never cut.

export interface Cell {
  text: string;
  align?: 'left' | 'right';
  /** Applied to the padded text, so that escape sequences never count as width. */
  paint?: (text: string) => string;
}

const GAP = '  ';
export const INDENT = '  ';
export const WIDTH_MAX = 120;
/** The first column gets no narrower than this, however wide the others are. */
const FIRST_WIDTH_MIN = 20;

export function left(text: string): Cell {
  return { text };
}

export function right(text: string): Cell {
  return { text, align: 'right' };
}

export function formatTable(rows: readonly (readonly Cell[])[]): string[] {
  const widths = widthsOf(rows);
  const total = INDENT.length + widths.reduce((sum, width) => sum + width + GAP.length, -GAP.length);
  const firstMax = Math.max((widths[0] ?? 0) - Math.max(0, total - WIDTH_MAX), FIRST_WIDTH_MIN);
  const broken = rows.flatMap((row) => breakFirst(row, firstMax));
  const finalWidths = widthsOf(broken);
  return broken.map((row) =>
    `${INDENT}${row.map((cell, column) => pad(cell, finalWidths[column] ?? 0)).join(GAP)}`.trimEnd(),
  );
}

function widthsOf(rows: readonly (readonly Cell[])[]): number[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  return Array.from({ length: columns }, (_, column) => Math.max(...rows.map((row) => row[column]?.text.length ?? 0)));
}

/** The row, and a row for each further line of its first cell. */
function breakFirst([first, ...others]: readonly Cell[], lengthMax: number): Cell[][] {
  if (first === undefined) return [];
  if (first.text.length <= lengthMax) return [[first, ...others]];
  // What goes on is set in further than what begins, and what was set in before stays so.
  const before = /^ */.exec(first.text)?.[0] ?? '';
  const lines = wrap(first.text.trimStart(), lengthMax - before.length - INDENT.length);
  return lines.map((line, index) => [
    { ...first, text: `${before}${index === 0 ? '' : INDENT}${line}` },
    ...(index === 0 ? others : []),
  ]);
}

function pad({ text, align, paint }: Cell, width: number): string {
  const padded = align === 'right' ? text.padStart(width) : text.padEnd(width);
  return paint === undefined ? padded : paint(padded);
}

/** Lines of at most `lengthMax` characters, broken at blanks; a single longer word stays whole. */
export function wrap(text: string, lengthMax: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > lengthMax) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return line === '' ? lines : [...lines, line];
}
