// The benchmark as its user meets it: what is wrong is said in a sentence, what is missing is skipped and said so, and whatever
// happens nothing is left behind: no process, no temporary file, no work tree.

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Report } from '../../../bench/report.ts';
import { eventually, type Program, startProgram } from '../../../testing/process.ts';
import * as haproxy from '../../../testing/servers/haproxy.ts';
import * as nginx from '../../../testing/servers/nginx.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../../../testing/temporary.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const MAIN = resolve(ROOT, 'bench/main.ts');
const DEADLINE_MS = 60_000;
const TASKSET = '/usr/bin/taskset';
const EXIT_USAGE = 2;
const EXIT_SIGINT = 130;

/** The quickest that there is. The whole machine's congestion control is not a test's to change. */
const TINY = ['--scale', 'tiny', '--only', 'idle', '--congestion', 'keep', '--json'];

const git = (...args: string[]) => spawnSync('git', ['-C', ROOT, ...args], { encoding: 'utf8' });
const isRepository = git('rev-parse', 'HEAD').status === 0;
const isRoot = process.getuid?.() === 0;

/** Congestion control belongs to a network: in one of our own it may be changed. */
const PREPARE = 'ip link set lo up && echo reno > /proc/sys/net/ipv4/tcp_congestion_control';
const hasNetworks = isRoot && spawnSync('unshare', ['--net', 'sh', '-c', PREPARE]).status === 0;

let temporary: string;

beforeEach(() => {
  temporary = makeTemporaryDirectory('bench-usage');
});

afterEach(() => {
  removeTemporaryDirectory(temporary);
});

interface Start {
  env?: Record<string, string>;
  /** A program that runs it, and its arguments. */
  under?: string[];
}

function start(args: string[], { env = {}, under = [] }: Start = {}): Promise<Program> {
  const [command = process.execPath, ...rest] = [...under, process.execPath, MAIN, ...args];
  return startProgram({ name: 'bench', command, args: rest, env: { TMPDIR: temporary, ...env } });
}

async function run(args: string[], options: Start = {}) {
  const program = await start(args, options);
  const { code } = await program.waitForExit(DEADLINE_MS);
  return { code, stdout: program.stdout, stderr: program.stderr };
}

function expectUsage({ code, stdout, stderr }: Awaited<ReturnType<typeof run>>, ...lines: string[]): void {
  expect(stderr.split('\n')).toEqual(expect.arrayContaining(lines));
  expect(stderr).not.toMatch(/^\s+at /m);
  expect(stdout).toBe('');
  expect(code).toBe(EXIT_USAGE);
}

/** Whatever works in the test's own directory for temporary files was started by the benchmark. */
function leftOver(): string[] {
  const workers = readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readlinkSync(`/proc/${pid}/cwd`).startsWith(temporary);
    } catch {
      return false;
    }
  });
  return [...readdirSync(temporary), ...workers.map((pid) => `process ${pid}`)];
}

test('everything that is wrong with a command line is said at once', async () => {
  expectUsage(
    await run(['--only', 'nwe,keepalive', '--peers', 'nginks', '--rounds', 'three']),
    'bench: --rounds three: expected a whole number, 1 to 99',
    'bench: --only nwe: unknown scenario, did you mean "new"?; expected new, keepalive, open, bulk, untuned, idle, churn, shards, header, pool, micro',
    'bench: --peers nginks: unknown peer, did you mean "nginx"?; expected haproxy, nginx, node',
    'Try "npm run bench -- --help".',
  );
});

test('--help goes to stdout', async () => {
  const { code, stdout, stderr } = await run(['--help']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('--compare REV');
});

test('whoever stops reading gets no stack trace', async () => {
  const program = await start(['--help'], {
    under: ['sh', '-c', 'trap "" PIPE; { "$@"; echo "exit $?" >&2; } | :', 'sh'],
  });
  await program.waitForExit();
  expect(program.stderr).toBe('exit 0\n');
});

test.skipIf(!isRepository)('a revision that does not exist is a usage error', async () => {
  expectUsage(await run(['--compare', 'nosuch']), 'bench: --compare nosuch: no such revision in this repository');
});

test('outside a repository there is nothing to compare with', async () => {
  const { code, stderr } = await run(['--compare', 'HEAD'], { env: { GIT_DIR: '/nonexistent' } });
  expect(stderr).toContain('bench: --compare HEAD: this tree is not a git repository');
  expect(code).toBe(EXIT_USAGE);
});

test.skipIf(!isRoot)('a congestion control that the kernel does not have is a usage error', async () => {
  expectUsage(await run(['--congestion', 'nosuch']), 'bench: --congestion nosuch: this kernel has none of that name');
});

describe.skipIf(!nginx.available())(`a run${nginx.available() ? '' : ` (skipped: ${nginx.missing})`}`, () => {
  test.each([
    ['that is not there', '/nonexistent/haproxy'],
    ['that is a directory', '/usr'],
  ])('goes on without a peer %s, and says so', async (_what, path) => {
    const { code, stdout, stderr } = await run([...TINY, '--peers', 'haproxy'], { env: { HAPROXY_BIN: path } });
    const note = `haproxy left out: HAPROXY_BIN=${path} is no program that can be run`;
    expect(stderr).toContain(`bench: ${note}\n`);
    expect(code).toBe(0);
    const { contenders, notes }: Report = JSON.parse(stdout);
    expect(Object.keys(contenders)).toEqual(['balancer']);
    expect(notes).toContain(note);
  });

  test.skipIf(!haproxy.available())('takes the path to another build from where it was called', async () => {
    const path = relative(process.cwd(), haproxy.HAPROXY);
    const { code, stdout, stderr } = await run([...TINY, '--peers', 'haproxy'], { env: { HAPROXY_BIN: path } });
    expect(code, stderr).toBe(0);
    const { contenders }: Report = JSON.parse(stdout);
    expect(contenders.haproxy?.command).toContain(`${haproxy.HAPROXY} -db`);
  });

  test.skipIf(!existsSync(TASKSET))('can do without peers, and without a CPU for each', async () => {
    const { code, stdout, stderr } = await run([...TINY, '--peers', 'none'], { under: [TASKSET, '-c', '0'] });
    expect(stderr).toContain('bench: round 1/1 idle balancer');
    expect(code).toBe(0);
    const report: Report = JSON.parse(stdout);
    expect(Object.keys(report.contenders)).toEqual(['balancer']);
    expect(report.machine.pinned).toBe(false);
    expect(report.notes).toContain('not pinned, contenders and load share all CPUs: this process may use only one CPU');
    expect(leftOver()).toEqual([]);
  });

  test.skipIf(!isRepository)(
    'against another revision has that and no peers, and leaves no work tree behind',
    async () => {
      const { code, stdout, stderr } = await run([...TINY, '--compare', 'HEAD']);
      expect(code, stderr).toBe(0);
      const { contenders, scenarios }: Report = JSON.parse(stdout);
      const [, name = ''] = Object.keys(contenders);
      expect(Object.keys(contenders)).toEqual(['balancer', name]);
      expect(name).toMatch(/^balancer@[0-9a-f]{7}$/);
      expect(Object.keys(scenarios[0]?.metrics[0]?.contenders ?? {})).toEqual(['balancer', name]);
      expect(git('worktree', 'list').stdout).not.toContain(temporary);
      expect(leftOver()).toEqual([]);
    },
  );

  test.skipIf(!isRepository)('that is interrupted ends what it started and gives back everything', async () => {
    const program = await start([
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
    await eventually('a contender to run', () => leftOver().some((entry) => entry.startsWith('process')));
    program.signal('SIGINT');
    expect((await program.waitForExit()).code).toBe(EXIT_SIGINT);
    expect(program.stdout).toBe('');
    expect(git('worktree', 'list').stdout).not.toContain(temporary);
    await eventually('nothing to be left', () => leftOver().length === 0);
  });

  describe.skipIf(!hasNetworks)(
    `in a network of its own${hasNetworks ? '' : ' (skipped: needs root, unshare and the congestion control reno)'}`,
    () => {
      const QUICKEST = ['--scale', 'tiny', '--only', 'idle', '--peers', 'none', '--json'];
      const TELL = 'echo "is $(cat /proc/sys/net/ipv4/tcp_congestion_control)"';
      /** Its congestion control is reno to begin with, and is told when the run is over. */
      const network = (script: string) => ['unshare', '--net', 'sh', '-c', `${PREPARE}; ${script}; ${TELL}`, 'sh'];

      test('sets the congestion control, says so, and gives it back', async () => {
        const { stdout } = await run(QUICKEST, { under: network('"$@"') });
        expect(stdout).toContain('"congestion": "cubic"');
        expect(stdout).toMatch(/^is reno$/m);
      });

      test('gives it back when it is interrupted, too', async () => {
        const program = await start(QUICKEST, { under: network('trap : INT; "$@"') });
        await program.waitForOutput(/round 1\/1 idle/, DEADLINE_MS);
        process.kill(-program.pid, 'SIGINT');
        await program.waitForExit();
        expect(program.stdout).toBe('is reno\n');
      });

      test('says when another program changed it meanwhile, and keeps nothing of such a run', async () => {
        const args = [...QUICKEST, '--rounds', '2', '--record'];
        const program = await start(args, { under: network('"$@"') });
        await program.waitForOutput(/round 1\/2 idle/, DEADLINE_MS);
        const setReno = 'echo reno > /proc/sys/net/ipv4/tcp_congestion_control';
        spawnSync('nsenter', ['-t', String(program.pid), '-n', 'sh', '-c', setReno]);
        await program.waitForExit(DEADLINE_MS);
        const change = 'congestion control changed during the run (cubic, reno): another program set it';
        expect(program.stderr).toContain(`bench: ${change}\n`);
        expect(program.stderr).toContain('bench: not recorded: the conditions changed during the run\n');
        expect(program.stdout).toContain(`"${change}; rounds before and after cannot be compared"`);
        expect(git('status', '--porcelain', 'bench/results', 'BENCHMARKS.md').stdout).toBe('');
      });
    },
  );
});
