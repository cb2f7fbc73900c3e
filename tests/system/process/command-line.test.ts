// The command line around the balancer: what each verb prints and where, how mistakes in calling it are answered, and how the
// variables are listed. No verb here starts anything.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { VARIABLES } from '../../../cli/environment.ts';
import { onePort, startBalancer } from '../../../testing/balancer.ts';
import { freePort } from '../../../testing/ports.ts';
import { runBinary } from './binary.ts';

const EXIT_USAGE = 2;
const manifest: { version: string } = JSON.parse(
  readFileSync(resolve(import.meta.dirname, '../../../package.json'), 'utf8'),
);

describe.concurrent('mistakes in calling it: one sentence, a hint, exit 2', () => {
  for (const [args, says] of [
    [[], /no command given/],
    [['rnu', '-f', 'x'], /unknown command "rnu", did you mean "run"\?/],
    [['frobnicate'], /unknown command "frobnicate"/],
    [['toString'], /unknown command "toString"/],
    [['check'], /check needs a file/],
    [['run', '-f'], /-f/],
    [['run', '-x'], /-x/],
    [['run', '--fil', 'x'], /--fil/],
    [['run', '-f', 'x', 'more'], /more/],
    [['env', '--jsn'], /--jsn/],
    [['check', '-f', 'x', '--json=1'], /--json/],
  ] as const) {
    test(`balancer ${args.join(' ')}`, async () => {
      const ran = await runBinary(args);
      expect(ran).toMatchObject({ code: EXIT_USAGE, stdout: '' });
      expect(ran.lines).toHaveLength(2);
      expect(ran.lines[0]).toMatch(says);
      expect(ran.lines[0]).toMatch(/^balancer: /);
      expect(ran.lines[1]).toBe('Try "balancer --help".');
    });
  }
});

describe.concurrent('help and version', () => {
  for (const [args, says] of [
    [['--help'], /Usage: balancer COMMAND/],
    [['-h'], /Usage: balancer COMMAND/],
    [['help'], /Usage: balancer COMMAND/],
    [['help', 'run'], /Usage: balancer run \[-f FILE\][\s\S]*TERM[\s\S]*HUP[\s\S]*USR1/],
    [['run', '--help'], /Usage: balancer run \[-f FILE\]/],
    [['help', 'check'], /Usage: balancer check/],
    [['help', 'env'], /Usage: balancer env/],
    [['version'], new RegExp(`^${manifest.version}\n$`)],
    [['--version'], new RegExp(`^${manifest.version}\n$`)],
  ] as const) {
    test(`balancer ${args.join(' ')}`, async () => {
      const ran = await runBinary(args);
      expect(ran).toMatchObject({ code: 0, stderr: '' });
      expect(ran.stdout).toMatch(says);
    });
  }
});

describe('env', () => {
  test('lists every variable with value, source, default and meaning', async () => {
    const env = { BALANCER_WORKERS: '3' };
    const [text, json] = await Promise.all([runBinary(['env'], { env }), runBinary(['env', '--json'], { env })]);
    expect([text.code, json.code, text.stderr, json.stderr]).toEqual([0, 0, '', '']);
    const rows: { name: string; value: string; source: string; default: string; meaning: string }[] = JSON.parse(
      json.stdout,
    );
    expect(rows.map(({ name }) => name)).toEqual(Object.values(VARIABLES).map(({ name }) => `BALANCER_${name}`));
    for (const { name, value, source, default: fallback, meaning } of rows) {
      expect(text.stdout).toContain(`${name}=${value}  `);
      expect(text.stdout).toContain(meaning);
      expect(value === fallback || source === 'environment').toBe(true);
    }
    expect(rows[0]).toMatchObject({ name: 'BALANCER_WORKERS', value: '3', source: 'environment' });
  });

  test('shows the list even when a value is bad, and says which', async () => {
    const ran = await runBinary(['env'], { env: { BALANCER_WORKERS: 'many' } });
    expect(ran.code).toBe(EXIT_USAGE);
    expect(ran.stdout).toContain('BALANCER_WORKERS=many');
    expect(ran.lines).toEqual(['BALANCER_WORKERS: found "many", expected a whole number from 1 to 256']);
  });
});

test('a variable set to nothing counts as not set', async () => {
  const { code, stdout } = await runBinary(['env', '--json'], { env: { BALANCER_WORKERS: '' } });
  expect(code).toBe(0);
  expect(JSON.parse(stdout)[0]).toMatchObject({ name: 'BALANCER_WORKERS', value: 'one per CPU', source: 'default' });
});

test('a variable that nobody knows is a warning with a guess, and the balancer starts', async () => {
  const config = { port: await freePort(), nodes: [{ label: 'one', address: '127.0.0.1:9' }] };
  const balancer = await startBalancer(onePort(config), { env: { BALANCER_WORKES: '2', BALANCER_WORKERS: '1' } });
  try {
    expect(balancer.program.stderr).toMatch(
      /^BALANCER_WORKES is not a variable of the balancer, did you mean BALANCER_WORKERS\?$/m,
    );
  } finally {
    await balancer.stop();
  }
});
