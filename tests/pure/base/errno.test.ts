// Error numbers: those that Linux has, each with a name and words. And assertions, which judge our own logic alone.

import { constants } from 'node:os';
import { describe, expect, test } from 'vitest';
import { AssertionError, assert, at } from '../../../core/base/assert.ts';
import * as errno from '../../../core/base/errno.ts';

const { describeErrno, errnoName, isLocalShortage, ...rest } = errno;
const NUMBERS = Object.entries(rest);

describe('error numbers', () => {
  test('are those of the system', () => {
    const known: Record<string, number> = { ...constants.errno };
    expect(NUMBERS.length).toBeGreaterThan(20);
    for (const [name, number] of NUMBERS) expect(number, name).toBe(known[name]);
  });

  test('have all their name and a meaning', () => {
    for (const [name, number] of NUMBERS) {
      expect(errnoName(number)).toBe(name);
      expect(describeErrno(number)).toMatch(new RegExp(`^${name} \\([a-z ]{4,}\\)$`));
    }
    expect(new Set(NUMBERS.map(([, number]) => describeErrno(number))).size).toBe(NUMBERS.length);
  });

  test('of our own shortages are told from the other side’s', () => {
    expect([errno.EMFILE, errno.EADDRNOTAVAIL, errno.ENOMEM].every(isLocalShortage)).toBe(true);
    expect([errno.ECONNREFUSED, errno.ETIMEDOUT, errno.EHOSTUNREACH, 0].some(isLocalShortage)).toBe(false);
  });

  test('that are not in the table are told as numbers, and 0 is none', () => {
    expect([errnoName(0), errnoName(9999), describeErrno(9999)]).toEqual(['', 'errno 9999', 'errno 9999']);
  });
});

describe('assertions', () => {
  test('pass what is true, and throw what was said otherwise', () => {
    expect(() => assert(1 + 1 === 2, 'arithmetic')).not.toThrow();
    expect(() => assert(1 + 1 === 3, 'arithmetic')).toThrow(AssertionError);
    expect(() => assert(false, 'what went wrong')).toThrow('what went wrong');
  });

  test('an element that should be there is, or that is a bug', () => {
    expect(at(['a', 'b'], 1)).toBe('b');
    expect(at([0], 0)).toBe(0);
    for (const index of [2, -1, 0.5]) expect(() => at(['a', 'b'], index)).toThrow(`no element ${index} of 2`);
  });
});
