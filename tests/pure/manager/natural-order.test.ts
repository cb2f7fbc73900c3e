// Lists sorted by label: numbers within labels count as numbers.

import { expect, test } from 'vitest';
import { sortedNaturally } from '../../../manager/src/parts/natural-order.ts';

const sorted = (labels: readonly string[], isDescending = false) =>
  sortedNaturally(labels, (label) => label, isDescending);

test('numbers within labels count as numbers, and case does not count', () => {
  expect(sorted(['web-10', 'Web-9', 'db', 'web-1-b', 'web', 'web-1'])).toEqual([
    'db',
    'web',
    'web-1',
    'web-1-b',
    'Web-9',
    'web-10',
  ]);
});

test('the other way round', () => {
  expect(sorted(['web-9', 'db', 'web-10'], true)).toEqual(['web-10', 'web-9', 'db']);
});

test('equals stay in their order both ways', () => {
  const items = [
    { region: 'local', id: 1 },
    { region: 'local', id: 2 },
  ];
  for (const isDescending of [false, true]) {
    expect(sortedNaturally(items, ({ region }) => region, isDescending)).toEqual(items);
  }
});
