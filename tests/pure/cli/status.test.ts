// What `balancer status` and `balancer nodes` print, by the letter: columns, colours, and numbers for people.

import { describe, expect, test } from 'vitest';
import { nodeEntries, nodesText } from '../../../cli/nodes.ts';
import { statusText } from '../../../cli/status.ts';
import { COLOURED, formatTable, PLAIN } from '../../../cli/table.ts';
import { formatBytes, formatDuration, formatSince } from '../../../cli/units.ts';
import { NOW_MS, SAMPLE } from './status-sample.ts';

const STATUS = `\
balancer 1.2.3: pid 4711, up 2h 5m, 2 shards, 12 of at most 500 sessions

FRONTEND  ADDRESSES           ALGORITHM   HEALTH  SESSIONS  QUEUED  ACCEPTED  REFUSED       IN     OUT  SINCE  REASON
web:80    0.0.0.0:80,[::]:80  roundrobin  UP            12       3     12345     4321  1.5 KiB  20 GiB  1m 5s  1 of 3 nodes takes connections
mail:25   -                   leastconn   DOWN           0       0         0        0      0 B     0 B      -  0 of 1 node takes connections
`;

const NODES = `\
FRONTEND  NODE    ADDRESS             MODE    HEALTH   SESSIONS  CONNECTS  FAILURES  CHECKED            SINCE  REASON
web:80    web-1   192.0.2.10:8080     accept  UP         12/100     12325         5  2s ago in 1.25 ms  3d 4h  it takes connections
web:80    web-2   [2001:db8::2]:8080  accept  DOWN            0         0         0  1s ago in 3000 ms  1m 5s  no answer within check_timeout
web:80    web-3   192.0.2.10:8080     backup  out             0         0         0  -                      -  sessions could not connect to it: ECONNREFUSED
mail:25   mail-1  192.0.2.10:8080     reject  unknown         0         0         0  -                      -  not checked
`;

/** Green, red and grey as letters. */
function readable(text: string): string {
  return text
    .replaceAll('\u001b[32m', '<green>')
    .replaceAll('\u001b[31m', '<red>')
    .replaceAll('\u001b[90m', '<grey>')
    .replaceAll('\u001b[39m', '</>');
}

describe('status', () => {
  test('is a line about the process, and one per frontend', () => {
    expect(statusText(SAMPLE, NOW_MS, PLAIN)).toBe(STATUS);
  });

  test('of one shard without frontends is the first line and the titles', () => {
    const [first, ...others] = statusText({ ...SAMPLE, shards: 1, frontends: [] }, NOW_MS, PLAIN).split('\n');
    expect(first).toBe('balancer 1.2.3: pid 4711, up 2h 5m, 1 shard, 12 of at most 500 sessions');
    expect(others).toHaveLength(3);
    expect(others[1]).toMatch(/^FRONTEND {2}ADDRESSES .* REASON$/);
  });
});

describe('nodes', () => {
  test('are a line each', () => {
    expect(nodesText(SAMPLE, NOW_MS, PLAIN)).toBe(NODES);
  });

  test.each([
    ['up', false, 'UP'],
    ['up', true, 'out'],
    ['unknown', true, 'out'],
    ['down', false, 'DOWN'],
    ['down', true, 'DOWN'],
  ] as const)('that are %s, and ejected: %s, are said to be %s', (health, isEjected, text) => {
    const [web, ...others] = SAMPLE.frontends;
    const nodes = (web?.nodes ?? []).slice(0, 1).map((node) => ({ ...node, health, is_ejected: isEjected }));
    const frontends = web === undefined ? others : [{ ...web, nodes }];
    expect(nodesText({ ...SAMPLE, frontends }, NOW_MS, PLAIN).split('\n')[1]).toContain(` accept  ${text} `);
  });

  test('as data are one flat list, each with its frontend', () => {
    const entries = nodeEntries(SAMPLE);
    expect(entries.map(({ nodebalancer, port, label }) => `${nodebalancer} ${port} ${label}`)).toEqual([
      'web 80 web-1',
      'web 80 web-2',
      'web 80 web-3',
      'mail 25 mail-1',
    ]);
    expect(entries[3]).toEqual({ nodebalancer: 'mail', port: 25, ...SAMPLE.frontends[1]?.nodes[0] });
  });
});

describe('colours', () => {
  test('are on health alone, and move no column', () => {
    const status = readable(statusText(SAMPLE, NOW_MS, COLOURED));
    const nodes = readable(nodesText(SAMPLE, NOW_MS, COLOURED));
    expect(status.match(/<\w+>.*?<\/>/g)).toEqual(['<green>UP</>', '<red>DOWN</>']);
    expect(nodes.match(/<\w+>.*?<\/>/g)).toEqual(['<green>UP</>', '<red>DOWN</>', '<red>out</>', '<grey>unknown</>']);
    const bare = (text: string) => text.replaceAll(/<\/?\w*>/g, '');
    expect([bare(status), bare(nodes)]).toEqual([STATUS, NODES]);
  });
});

describe('a table', () => {
  const columns = [{ title: 'A' }, { title: 'LONG', isNumber: true }, { title: 'C' }];

  test('has columns as wide as the widest cell, titles included, and no spaces at the end', () => {
    const rows = [
      ['one', '1', 'last'],
      ['three', '12345', ''],
    ];
    expect(formatTable(columns, rows, PLAIN)).toBe(
      ['A       LONG  C', 'one        1  last', 'three  12345', ''].join('\n'),
    );
  });

  test('without rows is its titles', () => {
    expect(formatTable(columns, [], PLAIN)).toBe('A  LONG  C\n');
  });
});

describe('units', () => {
  test.for<[number, string]>([
    [-5, '0s'],
    [0, '0s'],
    [999, '0s'],
    [59_999, '59s'],
    [60_000, '1m 0s'],
    [3_599_999, '59m 59s'],
    [3_600_000, '1h 0m'],
    [86_399_999, '23h 59m'],
    [86_400_000, '1d 0h'],
    [400 * 86_400_000, '400d 0h'],
  ])('%j ms are %j', ([ms, text]) => {
    expect(formatDuration(ms)).toBe(text);
  });

  test('a time that never was is a dash', () => {
    expect(formatSince(null, NOW_MS)).toBe('-');
    expect(formatSince(new Date(NOW_MS - 61_000).toISOString(), NOW_MS)).toBe('1m 1s');
  });

  test.for<[number, string]>([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [1536, '1.5 KiB'],
    [9.94 * 1024, '9.9 KiB'],
    [9.96 * 1024, '10 KiB'],
    [1023.4 * 1024, '1023 KiB'],
    [1023.6 * 1024, '1.0 MiB'],
    [20 * 2 ** 30, '20 GiB'],
    [2 ** 60, '1024 PiB'],
  ])('%j bytes are %j', ([bytes, text]) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});
