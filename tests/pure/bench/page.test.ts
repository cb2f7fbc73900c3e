// BENCHMARKS.md made of runs: nothing of a run is missing on it, a missed goal is said first, old runs stay listed.

import { describe, expect, test } from 'vitest';
import { arrange, type Recorded } from '../../../bench/history.ts';
import { benchmarksPage } from '../../../bench/page.ts';
import { sampleReport } from './sample-report.ts';

const report = sampleReport();
const newest: Recorded<unknown> = { stamp: '2026-01-02T0304', run: report };

/** As the first recorded runs were: no format, no distributions, other ids. */
const FIRST_FORMAT: Recorded<unknown> = {
  stamp: '2025-12-01T1200',
  run: {
    subject: 'balancer',
    rounds: 9,
    scale: 'full',
    commandLine: 'npm run bench -- --rounds 9 --record',
    scenarios: [
      {
        name: 'bulk',
        description: 'streams',
        metrics: [
          {
            metric: { id: 'downOwn', label: 'own CPU, to the client', unit: 's/GB', better: 'lower' },
            contenders: {},
            comparison: { bestPeer: 'haproxy', ratio: 0.63, low: 0.21, high: 0.69, verdict: 'faster' },
          },
        ],
      },
    ],
  },
};

const page = benchmarksPage(arrange([FIRST_FORMAT, newest]));

describe('the newest run', () => {
  test('has its goals first, the missed ones by name', () => {
    const goals = page.slice(page.indexOf('## Goals'), page.indexOf('## Pictures'));
    expect(goals).toContain('The run of 2026-01-02, revision 1a2b3c4+: `npm run bench -- --record`, 7 rounds.');
    expect(goals).toContain('Of 7 goals 4 are met, 1 missed, 2 undecided.');
    expect(goals).toContain('- keepalive, latency p99: 1.11 times haproxy’s (1.02..1.12), wanted at most 1.00');
    expect(goals).toMatch(
      /^\| bulk, own CPU \| <= 0\.50 \| \*\*0\.30\*\* haproxy \| 0\.29\.\.0\.32 \| faster \| \*\*met\*\* \|/m,
    );
  });

  test('has the totals beside the growth of memory', () => {
    expect(page).toMatch(/^\| memory at 5000, MiB \| 98\.1 \| 28\.7 \| 59\.0 \| 129 \|$/m);
  });

  test('has every picture, light and dark', () => {
    for (const name of ['cost', 'latency-requests', 'latency-connections', 'latency-churn', 'memory']) {
      expect(page).toContain(`srcset="bench/pictures/${name}-dark.svg"`);
      expect(page).toContain(`src="bench/pictures/${name}-light.svg"`);
    }
    expect(page).not.toMatch(/<img (?!alt="[^"<]+" src=)/);
  });

  test('has every metric of every scenario: ratio, verdict, medians and all rounds', () => {
    for (const { name, description, metrics } of report.scenarios) {
      expect(page).toContain(`### ${name}\n\n${description}.`);
      for (const { metric } of metrics) expect(page).toContain(`| ${metric.label}`);
    }
    expect(page).toContain(
      '| own CPU per connection, us | 0.93 (0.90..0.97) haproxy | faster | **89.7** (87.3..91.0) | **95.7** (93.2..99.2) |',
    );
    expect(page).toContain(
      '| own CPU per connection, us | balancer | 89.7 | 87.3 | 90.4 | 87.3 | 91.0 | 90.3 | 88.5 |',
    );
    expect(page).toMatch(/^\| haproxy \| 177 us \| 301 us \| 577 us \| 1891 us \| 3003 us \|$/m);
  });

  test('has the configuration and command line of everybody, the machine and the notes', () => {
    for (const name of Object.keys(report.contenders)) {
      expect(page).toContain(`### Configuration of ${name}`);
      expect(page).toContain(`${name} -f FILE`);
    }
    expect(page).toContain('  server node 127.0.0.1:8080\n```');
    expect(page).toContain('- Linux 6.1, 2 x Some CPU');
    expect(page).toContain('- congestion control cubic');
    expect(page).toContain('- note: a made-up note');
  });
});

test('tables have as many cells in every row as in their head', () => {
  let width = 0;
  for (const line of page.split('\n')) {
    const cells = line.startsWith('|') ? line.replaceAll('\\|', '').split('|').length : 0;
    if (width !== 0 && cells !== 0) expect(cells, line).toBe(width);
    width = cells;
  }
});

test('no figure is without a value', () => {
  expect(page).not.toMatch(/NaN|undefined|Infinity/);
});

test('a quick run says that it is one', () => {
  const quick = { stamp: newest.stamp, run: { ...report, scale: 'quick' } };
  expect(benchmarksPage(arrange([quick]))).toContain('It was of scale quick: do not quote its figures.');
});

test('a goal that was not measured says so', () => {
  const part = { ...report, scenarios: report.scenarios.filter(({ name }) => name === 'bulk') };
  const text = benchmarksPage(arrange([{ stamp: newest.stamp, run: part }]));
  expect(text).toContain('Of 7 goals 3 are met, 0 missed, 0 undecided, 4 not measured.');
  expect(text).toMatch(/^\| request, own CPU \| <= 0\.95 \| - \| - \| - \| not measured \| - \|$/m);
});

describe('the other runs', () => {
  test('are a row each, of whatever format, newest first', () => {
    const older = { stamp: '2025-12-24T1200', run: report };
    const text = benchmarksPage(arrange([FIRST_FORMAT, older, newest]));
    const rows = text.slice(text.indexOf('## Earlier runs')).match(/^\| \[.*$/gm) ?? [];
    expect(rows).toHaveLength(2);
    expect(rows[0]).toContain('| [2025-12-24T1200](bench/results/2025-12-24T1200.json) | 1a2b3c4+ | 7 | full | 0.93 |');
    expect(rows[1]).toContain(
      '| - | 9 | full | - | - | 0.63 | - | - | - | - | `npm run bench -- --rounds 9 --record` |',
    );
  });

  test('make a page on their own, which says what is missing', () => {
    const text = benchmarksPage(arrange([FIRST_FORMAT]));
    expect(text).toContain('No run in the present format is recorded yet.');
    expect(text).toContain('2025-12-01T1200');
  });

  test('that cannot be read are named, and hurt nobody', () => {
    const text = benchmarksPage(arrange([newest, { stamp: 'broken', run: undefined }, { stamp: 'odd', run: [] }]));
    expect(text).toContain('Not readable, and left out: odd, broken.');
  });
});
