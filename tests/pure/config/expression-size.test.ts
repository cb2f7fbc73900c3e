// What a regular expression would cost is known before it is compiled, and never told too large where it is not.

import fc from 'fast-check';
import { RE2JS } from 're2js';
import { afterEach, beforeEach, describe, expect, type MockInstance, test, vi } from 'vitest';
import { expressionSize, sizeFault } from '../../../core/config/expression-size.ts';
import { holds } from '../../../testing/suite/property.ts';
import { configOf, errorLines } from './support.ts';

const PIECES = ['a', 'é', '.', '^', '$', '\\d', '\\.', '\\b', '\\pL', '\\p{Greek}', '\\x41', '\\x{1F600}', '\\Qa+b\\E'];
const SETS = ['[a-z]', '[^x]', '[]a]', '[^]a-z]', '[\\pL\\pN]', '[[:alpha:]_]', '[\\]]'];
const AFTER = ['', '', '', '', '*', '+?', '?', '{2}', '{2,5}', '{3,}', '{0}', '{0,4}', '{10}'];

const { expression } = fc.letrec<{ expression: string; branch: string; piece: string }>((tie) => ({
  expression: fc.array(tie('branch'), { minLength: 1, maxLength: 3 }).map((branches) => branches.join('|')),
  branch: fc.array(tie('piece'), { maxLength: 4 }).map((pieces) => pieces.join('')),
  piece: fc
    .tuple(
      fc.oneof(
        { maxDepth: 4, depthIdentifier: 'expression' },
        fc.constantFrom(...PIECES, ...SETS),
        fc.tuple(fc.constantFrom('(', '(?:', '(?i:'), tie('expression')).map(([open, inner]) => `${open}${inner})`),
      ),
      fc.constantFrom(...AFTER),
    )
    .map(([piece, after]) => piece + after),
}));

test('the size that is told is about that of the program', () => {
  holds(
    fc.property(expression, (text) => {
      const { stepsMin, stepsMax } = expressionSize(text);
      const steps = stepsMax < 5000 ? programSize(text) : undefined;
      fc.pre(steps !== undefined);
      expect(steps).toBeGreaterThanOrEqual(stepsMin);
      // Where something is repeated and optional, there is a step more for each.
      expect(steps).toBeLessThanOrEqual(1.5 * stepsMax + 5);
    }),
    { numRuns: 2000 },
  );
});

/** @returns undefined where the engine refuses it: it counts nested repetitions, too */
function programSize(text: string): number | undefined {
  try {
    return RE2JS.compile(text).programSize();
  } catch {
    return undefined;
  }
}

test.each(['', '(', ')', '[', '[^', '{', '\\', '\\p', '\\x{', '\\Q', '(?P<', '(?i', '|', '*'])(
  '%j is no expression, which the engine is left to say',
  (text) => expect(sizeFault(text)).toBeUndefined(),
);

test('sets that are not closed are read in one go', () => {
  // With two ways to read each piece there would be 2^200 ways to fail.
  expect(expressionSize(`[${'\\p{L}'.repeat(200)}`).stepsMin).toBeGreaterThan(0);
});

describe('of a whole configuration', () => {
  let compile: MockInstance<typeof RE2JS.compile>;
  beforeEach(() => {
    compile = vi.spyOn(RE2JS, 'compile');
  });
  afterEach(() => compile.mockRestore());

  function withExpressions(text: (i: number) => string): string {
    const configs = Array.from({ length: 512 }, (_, i) => ({ port: i + 1, check_body: text(i) }));
    return JSON.stringify({ nodebalancers: [{ label: 'web', configs }] });
  }

  test.each<[why: string, piece: string, times: number]>([
    ['too large', 'a{1000}', 140],
    ['too large', '(?:[\\pL\\pN]{1000})', 50],
    ['too complicated', '(?i)[Ā-￿]', 100],
    ['too complicated', '(?i)[\\x{100}-\\x{1E000}]', 40],
  ])('what is %s, %s, is not compiled', (why, piece, times) => {
    const lines = errorLines(withExpressions((i) => `${i}${piece.repeat(times)}`));
    expect(lines).toHaveLength(101);
    expect(lines[0]).toContain(`(${why}: `);
    expect(compile).not.toHaveBeenCalled();
  });

  test('where all of them together are too much, few are compiled', () => {
    expect(errorLines(withExpressions((i) => `${i}${'\\pL'.repeat(300)}`))).toEqual([
      expect.stringMatching(/: found \d+ steps to read check_body of all configs together, expected at most 40000$/),
    ]);
    expect(compile.mock.calls.length).toBeLessThan(3);
  });

  test('the same one everywhere and plain texts are compiled once and never', () => {
    const text = withExpressions((i) => (i % 2 === 0 ? '^(ok|up):once$' : `plain ${i}`.padEnd(1000)));
    expect(configOf(text).nodebalancers[0]?.configs).toHaveLength(512);
    expect(compile).toHaveBeenCalledTimes(1);
    // Nor is it at the next change, when the whole is judged again.
    configOf(text);
    expect(compile).toHaveBeenCalledTimes(1);
  });

  test('512 different ones of an ordinary kind are possible', () => {
    expect(errorLines(withExpressions((i) => `^(ok|up) version ${i}\\.[0-9]+$`))).toEqual([]);
  });
});
