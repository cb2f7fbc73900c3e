// Whole runs of the benchmark, each as small as it can be: with a peer of another build, on one CPU, against another revision,
// interrupted, in a network of its own. Whatever happens nothing is left behind: no process, no temporary file, no work tree.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Report } from '../../../bench/report.ts';
import { eventually } from '../../../testing/process.ts';
import * as haproxy from '../../../testing/servers/haproxy.ts';
import * as nginx from '../../../testing/servers/nginx.ts';
import { BenchRuns, DEADLINE_MS, git, isRepository, isRoot, TINY } from '../../system/bench/program.ts';

const TASKSET = '/usr/bin/taskset';
const EXIT_SIGINT = 130;

/** Congestion control belongs to a network: in one of our own it may be changed, to those that everybody may use. */
const PREPARE = 'ip link set lo up && echo reno > /proc/sys/net/ipv4/tcp_congestion_control';
const ALLOWED = readFileSync('/proc/sys/net/ipv4/tcp_allowed_congestion_control', 'utf8').trim().split(' ');
const OTHER = ALLOWED.find((name) => name !== 'reno') ?? '';
const hasNetworks = isRoot && OTHER !== '' && spawnSync('unshare', ['--net', 'sh', '-c', PREPARE]).status === 0;

let runs: BenchRuns;
beforeEach(() => {
  runs = new BenchRuns();
});
afterEach(() => runs.remove());

describe.skipIf(!nginx.available())(`a run${nginx.available() ? '' : ` (skipped: ${nginx.missing})`}`, () => {
  test.skipIf(!haproxy.available())('takes the path to another build from where it was called', async () => {
    const path = relative(process.cwd(), haproxy.HAPROXY);
    const { code, stdout, stderr } = await runs.run([...TINY, '--peers', 'haproxy'], { env: { HAPROXY_BIN: path } });
    expect(code, stderr).toBe(0);
    const { contenders }: Report = JSON.parse(stdout);
    expect(contenders.haproxy?.command).toContain(`${haproxy.HAPROXY} -db`);
  });

  test.skipIf(!existsSync(TASKSET))('can do without peers, and without a CPU for each', async () => {
    const { code, stdout, stderr } = await runs.run([...TINY, '--peers', 'none'], { under: [TASKSET, '-c', '0'] });
    expect(stderr).toContain('bench: round 1/1 idle balancer');
    expect(code).toBe(0);
    const report: Report = JSON.parse(stdout);
    expect(Object.keys(report.contenders)).toEqual(['balancer']);
    expect(report.machine.pinned).toBe(false);
    expect(report.notes).toContain('not pinned, contenders and load share all CPUs: this process may use only one CPU');
    expect(runs.leftOver()).toEqual([]);
  });

  test.skipIf(!isRepository)(
    'against another revision has that and no peers, and leaves no work tree behind',
    async () => {
      const { code, stdout, stderr } = await runs.run([...TINY, '--compare', 'HEAD']);
      expect(code, stderr).toBe(0);
      const { contenders, scenarios }: Report = JSON.parse(stdout);
      const [, name = ''] = Object.keys(contenders);
      expect(Object.keys(contenders)).toEqual(['balancer', name]);
      expect(name).toMatch(/^balancer@[0-9a-f]{7}$/);
      expect(Object.keys(scenarios[0]?.metrics[0]?.contenders ?? {})).toEqual(['balancer', name]);
      expect(git('worktree', 'list').stdout).not.toContain(runs.temporary);
      expect(runs.leftOver()).toEqual([]);
    },
  );

  test.skipIf(!isRepository)('that is interrupted ends what it started and gives back everything', async () => {
    const program = await runs.start([
      '--scale',
      'tiny',
      '--only',
      'keepalive',
      '--congestion',
      'keep',
      '--compare',
      'HEAD',
    ]);
    await program.waitForOutput(/round 1\/1 keepalive balancer\b/, DEADLINE_MS);
    await eventually('a contender to run', () => runs.leftOver().some((entry) => entry.startsWith('process')));
    program.signal('SIGINT');
    expect((await program.waitForExit()).code).toBe(EXIT_SIGINT);
    expect(program.stdout).toBe('');
    expect(git('worktree', 'list').stdout).not.toContain(runs.temporary);
    await eventually('nothing to be left', () => runs.leftOver().length === 0);
  });

  describe.skipIf(!hasNetworks)(
    `in a network of its own${hasNetworks ? '' : ' (skipped: needs root, unshare and two congestion controls)'}`,
    () => {
      const QUICKEST = ['--scale', 'tiny', '--only', 'idle', '--peers', 'none', '--json', '--congestion', OTHER];
      const TELL = 'echo "is $(cat /proc/sys/net/ipv4/tcp_congestion_control)"';
      /** Its congestion control is reno to begin with, and is told when the run is over. */
      const network = (script: string) => ['unshare', '--net', 'sh', '-c', `${PREPARE}; ${script}; ${TELL}`, 'sh'];

      test('sets the congestion control, says so, and gives it back', async () => {
        const { stdout } = await runs.run(QUICKEST, { under: network('"$@"') });
        expect(stdout).toContain(`"congestion": "${OTHER}"`);
        expect(stdout).toMatch(/^is reno$/m);
      });

      test('gives it back when it is interrupted, too', async () => {
        const program = await runs.start(QUICKEST, { under: network('trap : INT; "$@"') });
        await program.waitForOutput(/round 1\/1 idle/, DEADLINE_MS);
        process.kill(-program.pid, 'SIGINT');
        await program.waitForExit();
        expect(program.stdout).toBe('is reno\n');
      });

      test('says when another program changed it meanwhile, and keeps nothing of such a run', async () => {
        const args = [...QUICKEST, '--rounds', '2', '--record'];
        const program = await runs.start(args, { under: network('"$@"') });
        await program.waitForOutput(/round 1\/2 idle/, DEADLINE_MS);
        const setReno = 'echo reno > /proc/sys/net/ipv4/tcp_congestion_control';
        spawnSync('nsenter', ['-t', String(program.pid), '-n', 'sh', '-c', setReno]);
        await program.waitForExit(DEADLINE_MS);
        const change = `congestion control changed during the run (${OTHER}, reno): another program set it`;
        expect(program.stderr).toContain(`bench: ${change}\n`);
        expect(program.stderr).toContain('bench: not recorded: the conditions changed during the run\n');
        expect(program.stdout).toContain(`"${change}; rounds before and after cannot be compared"`);
        expect(git('status', '--porcelain', 'bench/results', 'BENCHMARKS.md').stdout).toBe('');
      });
    },
  );
});
