// The benchmark is a program too: every scenario runs here with tiny input, so that it never rots. Its figures mean nothing
// at this size; that all bytes arrived is checked inside, and a run that finds one missing fails.

import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { SCENARIOS } from '../../../bench/catalogue.ts';
import type { Report, ScenarioReport } from '../../../bench/report.ts';
import { runProgram } from '../../../testing/process.ts';
import * as haproxy from '../../../testing/servers/haproxy.ts';
import * as nginx from '../../../testing/servers/nginx.ts';

const MAIN = resolve(import.meta.dirname, '../../../bench/main.ts');
const DEADLINE_MS = 120_000;
const CONTENDERS = ['balancer', 'haproxy', 'nginx', 'node'];

/** The whole machine's congestion control is not a test's to change. */
const TINY = ['--scale', 'tiny', '--congestion', 'keep', '--json'];

/** Scenario -> who takes part. */
const PARTICIPANTS: Readonly<Record<string, readonly string[]>> = {
  new: CONTENDERS,
  keepalive: CONTENDERS,
  open: CONTENDERS,
  bulk: CONTENDERS,
  untuned: CONTENDERS,
  idle: CONTENDERS,
  churn: CONTENDERS,
  shards: ['balancer', 'haproxy', 'nginx'],
  header: CONTENDERS,
  pool: ['balancer'],
  micro: ['balancer'],
};

test('no scenario is left out here', () => {
  expect(Object.keys(PARTICIPANTS)).toEqual(SCENARIOS.map(({ name }) => name));
});

const possible = nginx.available() && haproxy.available();
const why = possible ? '' : ` (skipped: ${nginx.missing}; ${haproxy.missing})`;

describe.skipIf(!possible)(`bench${why}`, () => {
  for (const [name, participants] of Object.entries(PARTICIPANTS)) {
    test(
      `scenario ${name} measures ${participants.join(', ')}`,
      async () => {
        const program = await runProgram(
          { name: 'bench', command: process.execPath, args: [MAIN, ...TINY, '--only', name] },
          DEADLINE_MS,
        );
        const { contenders, scenarios }: Report = JSON.parse(program.stdout);
        expect(Object.keys(contenders)).toEqual(CONTENDERS);
        const [scenario, ...rest] = scenarios;
        expect(rest).toEqual([]);
        expectFigures(scenario, participants);
      },
      DEADLINE_MS,
    );
  }
});

function expectFigures(scenario: ScenarioReport | undefined, participants: readonly string[]): void {
  const { metrics = [], distributions = [] } = scenario ?? {};
  const seen = new Set<string>();
  for (const { metric, contenders, comparison } of metrics) {
    for (const [name, { values }] of Object.entries(contenders)) {
      seen.add(name);
      expect(values, metric.id).toHaveLength(1);
      expect(values.every(Number.isFinite), metric.id).toBe(true);
    }
    // A metric that nobody gives is a mistake in its name.
    expect(Object.keys(contenders), metric.id).toContain('balancer');
    // One round is never enough for a verdict.
    expect(comparison?.verdict ?? 'no conclusion').toBe('no conclusion');
  }
  expect([...seen].sort()).toEqual([...participants].sort());
  for (const { distribution, contenders } of distributions) {
    expect(Object.keys(contenders), distribution.id).toEqual(participants);
  }
}
