// Who goes when there are too many connections, or too many bytes that wait.

import { describe, expect, test } from 'vitest';
import {
  type Phase,
  phaseOf,
  type Standing,
  whoHoldsBytes,
  whoMakesRoom,
} from '../../../../control/api/connections.ts';
import type { Exchange } from '../../../../control/turns.ts';

type Named = Standing & { readonly name: string };

function one(name: string, phase: Phase, sinceMs: number, rest: Partial<Standing> = {}): Named {
  return { name, phase, sinceMs, isKnown: false, bytes: 0, ...rest };
}
const known = { isKnown: true };

describe('a phase', () => {
  const exchange = (complete: boolean, writableEnded: boolean) =>
    ({ request: { complete }, response: { writableEnded } }) as unknown as Exchange;

  test.each<[Exchange | undefined, Phase]>([
    [undefined, 'idle'],
    [exchange(false, false), 'sending'],
    [exchange(true, false), 'working'],
    [exchange(true, true), 'unread'],
    // It was answered before its body had come: refused.
    [exchange(false, true), 'unread'],
  ])('%#: %s', (given, phase) => expect(phaseOf(given)).toBe(phase));
});

describe('who makes room', () => {
  test.each<[why: string, all: Named[], name: string | undefined]>([
    ['nobody is there', [], undefined],
    ['the oldest of idle strangers', [one('b', 'idle', 2), one('a', 'idle', 1), one('c', 'idle', 3)], 'a'],
    ['a stranger, however young, before whoever has a login', [one('a', 'idle', 1, known), one('b', 'idle', 9)], 'b'],
    ['a body that does not come before a newcomer', [one('b', 'idle', 9), one('a', 'sending', 1)], 'a'],
    ['an unread answer before a newcomer', [one('b', 'idle', 9), one('a', 'unread', 1)], 'a'],
    ['a stranger that does not read before an idle login', [one('a', 'idle', 1, known), one('b', 'unread', 9)], 'b'],
    ['never who is being answered', [one('a', 'working', 1), one('b', 'working', 2, known)], undefined],
    ['of logins the oldest idle one', [one('b', 'idle', 2, known), one('a', 'idle', 1, known)], 'a'],
    ['no login that sends or reads', [one('a', 'sending', 1, known), one('b', 'unread', 2, known)], undefined],
  ])('%s', (_why, all, name) => expect(whoMakesRoom(all)?.name).toBe(name));
});

describe('who is cut when too many bytes wait', () => {
  const bytes = 1;
  test.each<[why: string, all: Named[], name: string | undefined]>([
    ['nobody without any', [one('a', 'unread', 1)], undefined],
    [
      'the stranger that has not read for longest',
      [one('b', 'unread', 2, { bytes }), one('a', 'unread', 1, { bytes })],
      'a',
    ],
    [
      'a stranger before a login',
      [one('a', 'unread', 1, { bytes, isKnown: true }), one('b', 'unread', 9, { bytes })],
      'b',
    ],
    ['a login where there is nobody else', [one('a', 'working', 1, { bytes, isKnown: true })], 'a'],
  ])('%s', (_why, all, name) => expect(whoHoldsBytes(all)?.name).toBe(name));
});
