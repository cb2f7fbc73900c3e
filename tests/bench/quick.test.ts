// The benchmark is a program too: every scenario runs here with tiny input, so that it never rots. Its figures mean nothing
// at this size; that all bytes arrived is checked inside, and a run that finds one missing fails.

import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Report } from '../../bench/print.ts';
import { runProgram, startProgram } from '../support/process.ts';
import * as haproxy from '../support/servers/haproxy.ts';
import * as nginx from '../support/servers/nginx.ts';

const MAIN = resolve(import.meta.dirname, '../../bench/main.ts');
const DEADLINE_MS = 90_000;

const benchmark = (args: string[]) => ({ name: 'bench', command: process.execPath, args: [MAIN, ...args] });
/** The whole machine's congestion control is not a test's to change. */
const TINY = ['--scale', 'tiny', '--congestion', 'keep', '--json'];

const possible = nginx.available() && haproxy.available();
const why = possible ? '' : ` (skipped: ${nginx.missing}; ${haproxy.missing})`;

describe.skipIf(!possible)(`bench${why}`, () => {
  for (const scenario of ['new', 'keepalive', 'bulk', 'idle']) {
    test(
      `scenario ${scenario} measures every contender`,
      async () => {
        const program = await runProgram(benchmark([...TINY, '--only', scenario]), DEADLINE_MS);
        const report: Report = JSON.parse(program.stdout);
        expect(report.scenarios.map(({ name }) => name)).toEqual([scenario]);
        for (const { metric, contenders, comparison } of report.scenarios[0]?.metrics ?? []) {
          expect(Object.keys(contenders), metric.id).toEqual(expect.arrayContaining(['haproxy', 'nginx']));
          for (const { values } of Object.values(contenders)) {
            expect(values).toHaveLength(1);
            expect(values.every(Number.isFinite)).toBe(true);
          }
          // One round is never enough for a verdict.
          if (comparison !== undefined) expect(comparison.verdict).toBe('no conclusion');
        }
      },
      DEADLINE_MS,
    );
  }
});

test('a wrong option is a usage error that names what exists', async () => {
  const program = await startProgram(benchmark(['--only', 'nwe']));
  const exit = await program.waitForExit();
  expect(exit.code).toBe(2);
  expect(program.stderr).toContain('--only nwe: expected new, keepalive, bulk, idle');
});
