// What an event says about a side. Flags are only ever added here: what an event does not mention may still be true.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLPRI, EPOLLRDHUP } from '../../../core/linux/kernel.ts';
import { noteEvent, noteFirstErrno } from '../../../core/session/readiness.ts';
import {
  createSessionTable,
  FIN_SEEN,
  HUNG_UP,
  MISCOUNTED,
  READABLE,
  sessionTableBytes,
  UNSURE,
  URGENT,
  WRITABLE,
} from '../../../core/session/table.ts';
import { holds } from '../../../testing/suite/property.ts';

const SIDE = 3;

function flagsAfter(mask: number, before = 0): number {
  const table = createSessionTable(new SharedArrayBuffer(sessionTableBytes(3)), 3);
  table.sideFlags[SIDE] = before;
  noteEvent(table, SIDE, mask);
  expect(table.sideFlags.filter((_, side) => side !== SIDE).every((flags) => flags === 0)).toBe(true);
  return table.sideFlags[SIDE] ?? -1;
}

test.for([
  ['nothing', 0, 0],
  ['IN', EPOLLIN, READABLE],
  ['OUT', EPOLLOUT, WRITABLE],
  ['IN and OUT', EPOLLIN | EPOLLOUT, READABLE | WRITABLE],
  // A FIN alone: there is an end of stream to read.
  ['RDHUP', EPOLLRDHUP, READABLE | FIN_SEEN],
  ['IN and RDHUP', EPOLLIN | EPOLLRDHUP, READABLE | FIN_SEEN],
  ['PRI and RDHUP', EPOLLPRI | EPOLLRDHUP, READABLE | FIN_SEEN | UNSURE | URGENT | MISCOUNTED],
  ['PRI', EPOLLPRI, READABLE | UNSURE | URGENT | MISCOUNTED],
  ['IN and PRI', EPOLLIN | EPOLLPRI, READABLE | UNSURE | URGENT | MISCOUNTED],
  // Both let a write find out, and end nothing: what is queued is still read.
  ['HUP', EPOLLHUP, READABLE | WRITABLE | UNSURE | HUNG_UP],
  ['ERR', EPOLLERR, READABLE | WRITABLE | UNSURE | HUNG_UP],
  [
    'all at once, as after a reset',
    EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLHUP | EPOLLERR,
    READABLE | WRITABLE | FIN_SEEN | UNSURE | HUNG_UP,
  ],
] as const)('%s', ([, mask, flags]) => {
  expect(flagsAfter(mask)).toBe(flags);
});

test('an event takes nothing back', () => {
  const bit = fc.constantFrom(EPOLLIN, EPOLLOUT, EPOLLPRI, EPOLLRDHUP, EPOLLHUP, EPOLLERR);
  holds(
    fc.property(fc.array(bit), fc.nat(4095), (bits, before) => {
      const mask = bits.reduce((all, one) => all | one, 0);
      expect(flagsAfter(mask, before)).toBe(flagsAfter(mask) | before);
    }),
  );
});

test('the first error of a side stays', () => {
  const table = createSessionTable(new SharedArrayBuffer(sessionTableBytes(3)), 3);
  noteFirstErrno(table, SIDE, 104);
  noteFirstErrno(table, SIDE, 32);
  expect([...table.firstErrno]).toEqual([0, 0, 0, 104, 0, 0]);
});
