import fc from 'fast-check';
import { expect, test } from 'vitest';
import { editDistance, suggest } from '../../../core/config/suggest.ts';
import { holds } from '../../../testing/suite/property.ts';

const KEYS = ['port', 'protocol', 'algorithm', 'proxy_protocol', 'check', 'check_interval', 'check_timeout', 'nodes'];

test.each([
  ['prot', 'port'],
  ['ports', 'port'],
  ['proxyProtocol', 'proxy_protocol'],
  ['proxy-protocol', 'proxy_protocol'],
  ['PORT', 'port'],
  ['algoritm', 'algorithm'],
  ['timeout', 'check_timeout'],
  ['node', 'nodes'],
])('%s was meant to be %s', (word, meant) => {
  expect(suggest(word, KEYS)).toBe(meant);
});

test.each([
  ['v3', ['none', 'v1', 'v2']],
  ['xyz', KEYS],
  ['', KEYS],
  ['x'.repeat(100_000), KEYS],
])('%.10s is like nothing known, and no guess is made', (word, candidates) => {
  expect(suggest(word, candidates)).toBeUndefined();
});

test('a swap of neighbours is one slip', () => {
  expect(editDistance('prot', 'port')).toBe(1);
  expect(editDistance('kitten', 'sitting')).toBe(3);
  expect(editDistance('', 'abc')).toBe(3);
});

test('the distance is symmetric, and zero only between equals', () => {
  holds(
    fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
      expect(editDistance(a, b)).toBe(editDistance(b, a));
      expect(editDistance(a, b) === 0).toBe(a === b);
    }),
  );
});
