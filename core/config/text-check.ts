// Is this text worth parsing? Size, and the characters that no configuration has: they betray a binary file or a wrong
// encoding. Whoever decoded the bytes turned invalid UTF-8 into U+FFFD, so that is where it shows.

import { FILE_BYTES_MAX } from './limits.ts';
import { type FirstOf, FirstOfList, only } from './problem-list.ts';
import type { Fault } from './scalar.ts';

/** A fault at an offset of the text. */
export interface TextFault extends Fault {
  readonly offset: number;
}

const TAB = 0x09;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const DELETE = 0x7f;
const REPLACEMENT = 0xfffd;

/** The control characters that YAML (section 5.1) and JSON leave out, and the replacement character. */
function isForbidden(code: number): boolean {
  if (code >= SPACE) return code === DELETE || code === REPLACEMENT;
  return code !== TAB && code !== LINE_FEED && code !== CARRIAGE_RETURN;
}

/** @returns one fault per line: a binary file has them everywhere */
export function textFaults(text: string): FirstOf<TextFault> {
  const bytes = text.length > FILE_BYTES_MAX ? text.length : Buffer.byteLength(text);
  if (bytes > FILE_BYTES_MAX) {
    return only({ offset: 0, found: `more than ${FILE_BYTES_MAX} bytes`, expected: 'a smaller file' });
  }
  const faults = new FirstOfList<TextFault>();
  // No pattern: a file may consist of nothing else, and a match for each of four million characters takes seconds.
  for (let offset = 0; offset < text.length; offset++) {
    const code = text.charCodeAt(offset);
    if (!isForbidden(code)) continue;
    const at = offset;
    faults.add(() => ({ offset: at, found: describeCharacter(code), expected: 'text in UTF-8' }));
    const newline = text.indexOf('\n', offset);
    offset = newline === -1 ? text.length : newline;
  }
  return faults;
}

function describeCharacter(character: number): string {
  if (character === REPLACEMENT) return 'bytes that are not UTF-8 (read as U+FFFD)';
  const code = character.toString(16).toUpperCase().padStart(4, '0');
  return character === 0 ? 'a NUL byte (U+0000)' : `a control character (U+${code})`;
}
