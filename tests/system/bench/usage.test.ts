// The benchmark as its user meets it: what is wrong is said in a sentence, what is missing is skipped and said so. Whole runs are in
// tests/thorough/bench/runs.test.ts.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Report } from '../../../bench/report.ts';
import * as nginx from '../../../testing/servers/nginx.ts';
import { BenchRuns, isRepository, isRoot, TINY } from './program.ts';

const EXIT_USAGE = 2;

let runs: BenchRuns;
const run: BenchRuns['run'] = (args, options) => runs.run(args, options);
beforeEach(() => {
  runs = new BenchRuns();
});
afterEach(() => runs.remove());

function expectUsage({ code, stdout, stderr }: Awaited<ReturnType<typeof run>>, ...lines: string[]): void {
  expect(stderr.split('\n')).toEqual(expect.arrayContaining(lines));
  expect(stderr).not.toMatch(/^\s+at /m);
  expect(stdout).toBe('');
  expect(code).toBe(EXIT_USAGE);
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
  const program = await runs.start(['--help'], {
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
});
