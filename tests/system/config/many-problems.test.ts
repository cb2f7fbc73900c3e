// A hundred thousand mistakes: the first hundred are described, the others counted, and nothing is looked at that no report can show.

import fc from 'fast-check';
import { IsArray, IsObject, type TSchema } from 'typebox';
import { afterEach, expect, test, vi } from 'vitest';
import { parseIp } from '../../../core/base/ip.ts';
import { checkSchema } from '../../../core/config/check.ts';
import { formatConfigErrors } from '../../../core/config/format.ts';
import { ITEMS_JUDGED_MAX, PROBLEMS_MAX } from '../../../core/config/limits.ts';
import { judgeListeners } from '../../../core/config/listener-rules.ts';
import { ConfigSchema } from '../../../core/config/model.ts';
import { parseConfig } from '../../../core/config/parse.ts';
import { formatPath } from '../../../core/config/problem.ts';
import { ProblemList } from '../../../core/config/problem-list.ts';
import * as scalar from '../../../core/config/scalar.ts';
import * as suggest from '../../../core/config/suggest.ts';
import { validateConfig } from '../../../core/config/validate.ts';
import { holds } from '../../../testing/suite/property.ts';

// Replaced modules are why this file has a process of its own.
vi.mock('../../../core/config/suggest.ts', { spy: true });
vi.mock('../../../core/config/scalar.ts', { spy: true });
afterEach(() => vi.clearAllMocks());

const range = (count: number) => Array.from({ length: count }, (_, i) => i);
const mapping = (count: number, key: (i: number) => string, value: unknown = 1) =>
  Object.fromEntries(range(count).map((i) => [key(i), value]));

function problemsOf(value: unknown) {
  const validated = validateConfig(value);
  if ('config' in validated) throw new Error('a configuration was accepted');
  return validated.problems;
}

test('100,000 unknown keys: what was meant is looked for a hundred times', () => {
  const { shown, more } = problemsOf({ nodebalancers: [], ...mapping(100_000, (i) => `nodebalancer${i}`) });
  expect([shown.length, more]).toEqual([PROBLEMS_MAX, 100_000 - PROBLEMS_MAX]);
  expect(shown[0]?.didYouMean).toBe('nodebalancers');
  // For each, among the keys that are absent (none) and among all.
  expect(vi.mocked(suggest.suggest).mock.calls.length).toBeLessThanOrEqual(2 * PROBLEMS_MAX);
});

test('a hundred problems are all described, with one more its number is told', () => {
  const of = (count: number) => problemsOf({ nodebalancers: [], ...mapping(count, (i) => `key-${i}`) });
  expect([of(PROBLEMS_MAX).shown.length, of(PROBLEMS_MAX).more]).toEqual([PROBLEMS_MAX, 0]);
  expect([of(PROBLEMS_MAX + 1).shown.length, of(PROBLEMS_MAX + 1).more]).toEqual([PROBLEMS_MAX, 1]);
});

test('wrong values, wrong kinds and repetitions are counted the same way', () => {
  const node = { label: 1, address: 2, weight: 'x', mode: 3 };
  const withNodes = (nodes: unknown[]) => ({ nodebalancers: [{ label: 'web', configs: [{ port: 1, nodes }] }] });
  expect(problemsOf(withNodes(range(1000).map(() => node))).more).toBe(4000 - PROBLEMS_MAX);
  const same = range(1000).map(() => ({ label: 'node', address: '10.0.0.1:1' }));
  expect(problemsOf(withNodes(same)).more).toBe(999 - PROBLEMS_MAX);
  const bad = range(512).map(() => ({ port: 0, algorithm: 'roundrobi', check: 'x', stickiness: 'tabl' }));
  expect(problemsOf({ nodebalancers: [{ label: 'web', configs: bad }] }).more).toBe(4 * 512 - PROBLEMS_MAX);
  expect(vi.mocked(suggest.suggest).mock.calls.length).toBeLessThanOrEqual(3 * PROBLEMS_MAX);
});

test('of items without number no more are judged than a configuration can have', () => {
  const configs = range(512).map((i) => ({ port: i + 1, nodes: range(500).map(() => ({})) }));
  const { shown } = problemsOf({ nodebalancers: [{ label: 'web', configs }] });
  expect(shown.length).toBe(PROBLEMS_MAX);
  // What is left of each is held against the schema of drafts once more; the other 250,000 are not.
  expect(vi.mocked(scalar.scalarFault).mock.calls.length).toBeLessThan(8 * ITEMS_JUDGED_MAX);
});

test.each([
  ['keys that are twice', 'a: 1\n'.repeat(1000), 998],
  ['numbers in unusual notations', `a: [${range(1000).map(() => '0x10')}]`, 999],
  ['bytes that are no text', 'a: \0\n'.repeat(1000), 999],
  ['broken lines', 'a: "b" c\n'.repeat(1000), 999],
])('%s, in a file', (_name, text, more) => {
  const parsed = parseConfig(text, 'c.yaml');
  if (!('errors' in parsed)) throw new Error('a file was accepted');
  expect(parsed.errors).toHaveLength(PROBLEMS_MAX);
  expect(formatConfigErrors(parsed.errors, parsed.more).split('\n').at(-1)).toBe(
    `c.yaml: and ${more + 1 - PROBLEMS_MAX} more`,
  );
});

test('every default fits its own schema: it is not held against it again for each of ten thousand values', () => {
  const wrong: string[] = [];
  const visit = (schema: TSchema, path: string): void => {
    const value: unknown = Reflect.get(schema, 'default');
    const problems = new ProblemList();
    if (value !== undefined) checkSchema(schema, value, problems);
    wrong.push(...problems.shown.map(({ found }) => `${path}: ${found}`));
    if (IsArray(schema)) visit(schema.items, `${path}[]`);
    if (IsObject(schema))
      for (const [key, property] of Object.entries(schema.properties)) visit(property, `${path}.${key}`);
  };
  visit(ConfigSchema, '');
  expect(wrong).toEqual([]);
});

test('who collides with whom is what comparing each with each would say', () => {
  const nodebalancer = fc.record({
    ipv4: fc.constantFrom('0.0.0.0', '192.0.2.1', '192.0.2.2'),
    ipv6: fc.constantFrom(null, '::', '::1'),
    configs: fc.array(fc.record({ port: fc.integer({ min: 1, max: 3 }) }), { maxLength: 4 }),
  });
  holds(
    fc.property(fc.array(nodebalancer, { maxLength: 8 }), (nodebalancers) => {
      const problems = new ProblemList();
      judgeListeners(nodebalancers, problems);
      const found = problems.shown.map(({ path, also = [] }) => `${formatPath(path)} ${formatPath(also)}`);
      expect(found).toEqual(collisionsOf(nodebalancers));
    }),
  );
});

type Listening = { ipv4: string; ipv6: string | null; configs: { port: number }[] };

function collisionsOf(nodebalancers: readonly Listening[]): string[] {
  const all = nodebalancers.flatMap(({ ipv4, ipv6, configs }, i) =>
    configs.flatMap(({ port }, j) =>
      [ipv4, ipv6].flatMap((ip) => (ip === null ? [] : [{ ip, port, at: `nodebalancers[${i}].configs[${j}].port` }])),
    ),
  );
  const isAny = (ip: string) => parseIp(ip)?.every((byte) => byte === 0 || byte === 0xff) === true;
  const found = new Map<string, string>();
  for (const [index, one] of all.entries()) {
    const other = all.slice(0, index).find(({ ip, port, at }) => {
      const isSameFamily = ip.includes(':') === one.ip.includes(':');
      return at !== one.at && port === one.port && isSameFamily && (ip === one.ip || isAny(ip) || isAny(one.ip));
    });
    if (other !== undefined && !found.has(one.at)) found.set(one.at, other.at);
  }
  return [...found].map(([at, also]) => `${at} ${also}`);
}
