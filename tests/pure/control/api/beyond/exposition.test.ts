// The text format of Prometheus, as it is written, and the reader that the tests of metrics trust.

import { expect, test } from 'vitest';
import { histogram, metric } from '../../../../../control/api/exposition.ts';
import { parseExposition } from './exposition-parser.ts';

test.each([
  ['plain'],
  ['quote " in it'],
  ['back\\slash'],
  ['back\\nslash and n'],
  ['line\nfeed'],
  ['\\"\n\\'],
  ['ü, 漢, 🐟'],
])('a label %j comes back as it was', (text) => {
  const families = parseExposition(metric('a_metric', 'gauge', 'Help.', [[{ label: text }, 1]]));
  expect(families.get('a_metric')?.series[0]?.labels.label).toBe(text);
});

test.each([
  [0, 0],
  [1.5, 1.5],
  [1e21, 1e21],
  [2 ** 53, 2 ** 53],
  [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
  [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY],
  [Number.NaN, Number.NaN],
])('the number %d can be read', (value, read) => {
  const families = parseExposition(metric('a_metric', 'gauge', 'Help.', [[{}, value]]));
  expect(families.get('a_metric')?.series[0]?.value).toBe(read);
});

test('a help stays on its line', () => {
  expect(metric('a_metric', 'gauge', 'One\nand \\ two.', [[{}, 1]]).split('\n')[0]).toBe(
    '# HELP a_metric One\\nand \\\\ two.',
  );
});

test('buckets are cumulative and end in the count', () => {
  const view = {
    buckets: [
      { le: 0.5, count: 2 },
      { le: 1, count: 2 },
    ],
    sum: 7.25,
    count: 3,
  };
  const families = parseExposition(histogram('a_seconds', 'Help.', view));
  expect(families.get('a_seconds')?.series.map(({ labels, value }) => [labels.le, value])).toEqual([
    ['0.5', 2],
    ['1', 2],
    ['+Inf', 3],
    [undefined, 7.25],
    [undefined, 3],
  ]);
});

test.each([
  ['a series twice', '# HELP a A.\n# TYPE a gauge\na 1\na 2\n'],
  ['a type twice', '# HELP a A.\n# TYPE a gauge\na 1\n# HELP a A.\n# TYPE a gauge\na{b="c"} 2\n'],
  ['an escape that is none', '# HELP a A.\n# TYPE a gauge\na{b="\\t"} 1\n'],
  [
    'a falling bucket',
    '# HELP a A.\n# TYPE a histogram\na_bucket{le="1"} 2\na_bucket{le="+Inf"} 1\na_sum 1\na_count 1\n',
  ],
  ['a count of its own', '# HELP a A.\n# TYPE a histogram\na_bucket{le="+Inf"} 1\na_sum 1\na_count 2\n'],
  ['no end of line', '# HELP a A.\n# TYPE a gauge\na 1'],
])('the reader of these tests refuses %s', (_name, text) => {
  expect(() => parseExposition(text)).toThrow();
});
