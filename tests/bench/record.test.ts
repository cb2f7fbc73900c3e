// The page made of a run: every figure of the report is on it, with its unit, ratio and verdict.

import { expect, test } from 'vitest';
import { mergeMetric } from '../../bench/merge.ts';
import type { Report } from '../../bench/print.ts';
import { benchmarksPage } from '../../bench/record.ts';

const metric = { id: 'x', label: 'own CPU per request', unit: 'us', better: 'lower' } as const;
const samples = new Map(Object.entries({ ours: [9, 8, 9, 9, 9, 9, 9], peer: [10, 10, 10, 10, 10, 10, 10] }));
const rounds = new Map([...samples].map(([name, values]) => [name, values.map((x) => ({ x }))]));

const REPORT: Report = {
  subject: 'ours',
  rounds: 7,
  scale: 'full',
  commandLine: 'npm run bench --',
  machine: {
    kernel: '6.1',
    cpu: 'CPU',
    cpus: 2,
    pinned: true,
    congestion: 'cubic',
    loadAtStart: 0.5,
    node: '26',
    programs: { nginx: '1.22' },
  },
  contenders: { ours: { command: './bin/balancer.js', proxyVersion: 'v2' } },
  notes: ['a note'],
  scenarios: [{ name: 'keepalive', description: 'requests', metrics: [mergeMetric(metric, rounds, 'ours')] }],
};

test('a run becomes a page with ratio, verdict, medians and every round', () => {
  const page = benchmarksPage(REPORT, new Date('2026-01-02T03:04:05Z'));
  expect(page).toContain('## 2026-01-02');
  expect(page).toContain('congestion control cubic');
  expect(page).toContain('- note: a note');
  expect(page).toContain(
    '| own CPU per request, us | 0.90 (0.80..0.90) peer | faster | **9.00** (9.00, 8.00, 9.00, 9.00, 9.00, 9.00, 9.00) | **10.0** (10.0, 10.0, 10.0, 10.0, 10.0, 10.0, 10.0) |',
  );
});
