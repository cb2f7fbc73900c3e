// Is this text worth parsing? Size, and the characters that no configuration has: they betray a binary file or a wrong
// encoding. Whoever decoded the bytes turned invalid UTF-8 into U+FFFD, so that is where it shows.

import { FILE_BYTES_MAX } from './limits.ts';
import type { Fault } from './scalar.ts';

/** A fault at an offset of the text. */
export interface TextFault extends Fault {
  readonly offset: number;
}

/** The control characters that YAML (section 5.1) and JSON leave out, and the replacement character. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const FORBIDDEN = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f\ufffd]/g;

/** @returns one fault per line: a binary file has them everywhere */
export function textFaults(text: string): TextFault[] {
  const bytes = text.length > FILE_BYTES_MAX ? text.length : Buffer.byteLength(text);
  if (bytes > FILE_BYTES_MAX) {
    return [{ offset: 0, found: `more than ${FILE_BYTES_MAX} bytes`, expected: 'a smaller file' }];
  }
  const faults: TextFault[] = [];
  let lineEnd = -1;
  for (const match of text.matchAll(FORBIDDEN)) {
    if (match.index < lineEnd) continue;
    const newline = text.indexOf('\n', match.index);
    lineEnd = newline === -1 ? text.length : newline;
    faults.push({ offset: match.index, found: describeCharacter(match[0]), expected: 'text in UTF-8' });
  }
  return faults;
}

function describeCharacter(character: string): string {
  if (character === '\ufffd') return 'bytes that are not UTF-8 (read as U+FFFD)';
  const code = character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
  return character === '\0' ? 'a NUL byte (U+0000)' : `a control character (U+${code})`;
}
