// The report on a terminal: ratio and verdict first, columns that line up, colours only for those who see and want them.

import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { formatReport, wantsColours } from '../../../bench/print.ts';
import { formatTable, left, right, wrap } from '../../../bench/table.ts';
import { sampleReport } from './sample-report.ts';

const WIDTH_MAX = 120;
const report = sampleReport();
const text = formatReport(report);
const lineOf = (start: string) => text.split('\n').find((line) => line.trimStart().startsWith(start)) ?? '';

test('a metric is one line: ratio, interval, peer, verdict, then medians with the furthest round', () => {
  expect(lineOf('own CPU per connection, us')).toMatch(
    /^ {2}own CPU per connection, us +0\.93 \(0\.90\.\.0\.97\) haproxy +faster +89\.7 ±3% +95\.7 ±4% +99\.2 ±6% +154 ±6%$/,
  );
});

test('a metric that a contender cannot give is a dash, and one that is not compared has no verdict', () => {
  expect(lineOf('share spliced, down, 8 streams')).toMatch(/^ {2}share spliced, down, 8 streams +0\.980 ±0% +- +- +-$/);
});

test('a distribution is a table of percentiles', () => {
  expect(lineOf('request over a kept connection')).toMatch(/intended time +p50 +p90 +p99 +p99\.9 +p99\.99$/);
  expect(text).toMatch(/^ {4}haproxy +177 us +301 us +577 us +1891 us +3003 us$/m);
});

test('the goals close it, each with the metric that is furthest from it', () => {
  expect(text.slice(text.indexOf('goals, each by'))).toMatch(
    /^ {2}p99 +<= 1\.00 +1\.11 \(1\.02\.\.1\.12\) haproxy +missed +keepalive: latency p99$/m,
  );
});

test('machine, versions and notes stand above it', () => {
  const head = text.slice(0, text.indexOf('\n\n'));
  for (const part of ['Linux 6.1, 2 x Some CPU', 'revision 1a2b3c4+', 'Node.js: v26.10.0', 'note: a made-up note']) {
    expect(head).toContain(part);
  }
});

test('how each contender was started and set up is part of it', () => {
  expect(text).toContain(
    '\n\nhaproxy was started as\n  haproxy -f FILE\n  | listen http\n  |   bind *:80\n  |   server node 127.0.0.1:8080\n\n',
  );
});

test('a label that is too long goes on in the next line, its figures stay in one', () => {
  const figures = '1'.repeat(90);
  const lines = formatTable([
    [left('short'), right(figures)],
    [left('a label of more words than there is room'), right(figures)],
  ]);
  expect(lines).toEqual([
    `  short                  ${figures}`,
    `  a label of more words  ${figures}`,
    '    than there is room',
  ]);
  expect(wrap('one two three', 8)).toEqual(['one two', 'three']);
  expect(wrap('', 8)).toEqual([]);
});

test('four contenders fit a terminal of 120 columns, and nothing trails', () => {
  expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(WIDTH_MAX);
  expect(text).not.toMatch(/[ \t]$/m);
});

test('a single round has no spread and no interval', () => {
  const one = { ...report, scenarios: report.scenarios.slice(0, 1).map(withFirstRoundOnly) };
  expect(formatReport(one)).toMatch(/^ {2}own CPU per connection, us +0\.94 haproxy +no conclusion +89\.7 +95\.6/m);
});

function withFirstRoundOnly(scenario: (typeof report.scenarios)[number]): typeof scenario {
  return {
    ...scenario,
    metrics: scenario.metrics.map((merged) => ({
      metric: merged.metric,
      contenders: Object.fromEntries(
        Object.entries(merged.contenders).map(
          ([
            name,
            {
              values: [first = 0],
            },
          ]) => [name, { median: first, min: first, max: first, values: [first] }],
        ),
      ),
      ...(merged.comparison === undefined
        ? {}
        : { comparison: { bestPeer: 'haproxy', ratio: 0.94, verdict: 'no conclusion' as const } }),
    })),
  };
}

describe('colours', () => {
  const ESCAPE = String.fromCharCode(27);
  const coloured = formatReport(report, { colours: true });

  test('change nothing but colours', () => {
    expect(coloured).toContain(`${ESCAPE}[32mfaster`);
    expect(coloured).toContain(`${ESCAPE}[31mslower`);
    expect(stripVTControlCharacters(coloured)).toBe(text);
    expect(text).not.toContain(ESCAPE);
  });

  test.each([
    [true, {}, true],
    [true, { NO_COLOR: '1' }, false],
    [true, { NO_COLOR: '' }, true],
    [false, {}, false],
  ])('terminal %s with %o: %s', (isTTY, environment, wanted) => {
    expect(wantsColours({ isTTY }, environment)).toBe(wanted);
  });
});
