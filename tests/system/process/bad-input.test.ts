// What a refused start prints, and how it ends: the same words from `run` and `check`, the right exit code, no stack trace. What is
// said about which mistake is in tests/pure/cli/bad-files.test.ts and environment.test.ts; ports that cannot be had are in
// busy-port.test.ts.

import { describe, expect, test } from 'vitest';
import { fileWith } from '../../../testing/files.ts';
import { type Ran, runBinary } from './binary.ts';

const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;
const EXIT_CONFIG = 78;

const BAD = `nodebalancers:
  - label: test
    configs:
      - { port: 0, algorithm: fastest, check: http }
`;

const GOOD = `nodebalancers:
  - label: test
    configs: [{ port: 8080, nodes: [{ label: one, address: "127.0.0.1:9" }] }]
`;

const GOOD_WITH_A_WARNING = `nodebalancers:
  - label: test
    configs:
      - port: 8080
        queue_size: 10
        nodes: [{ label: one, address: "127.0.0.1:9" }]
`;

function expectRefused(ran: Ran, code: number): void {
  expect(ran.code, ran.stderr).toBe(code);
  expect(ran.stderr).not.toMatch(/^ {4}at /m);
  expect(ran.stderr).not.toMatch(/\bready\b/);
  expect(ran.stdout).toBe('');
  expect(ran.lines.length).toBeGreaterThan(0);
}

test('a bad file: run and check say the same, exit 78; bad variables beside it are told at once', async () => {
  const path = fileWith(BAD);
  const env = { BALANCER_WORKERS: 'abc', BALANCER_SPLICE: 'maybe' };
  const [checked, ran] = await Promise.all([runBinary(['check', '-f', path]), runBinary(['run', '-f', path], { env })]);
  expectRefused(checked, EXIT_CONFIG);
  expectRefused(ran, EXIT_CONFIG);
  expect(checked.lines).toHaveLength(3);
  expect(ran.lines.slice(0, 3)).toEqual(checked.lines);
  expect(ran.lines.slice(3).map((line) => line.split(':')[0])).toEqual(['BALANCER_WORKERS', 'BALANCER_SPLICE']);
});

test('bad variables alone: each in a line, exit 2', async () => {
  const env = {
    BALANCER_WORKERS: '1e2',
    BALANCER_ON_NODE_DOWN: 'cut:86401',
    BALANCER_CLIENT_TABLE_ENTRIES: '999',
    BALANCER_THROTTLE_IPV6_PREFIX: '129',
    BALANCER_DATA_DIR: 'run',
  };
  const ran = await runBinary(['run', '-f', fileWith(GOOD_WITH_A_WARNING)], { env });
  expectRefused(ran, EXIT_USAGE);
  // The file is read all the same, and what it is warned of is said.
  expect(ran.lines.filter((line) => line.startsWith('BALANCER_'))).toEqual([
    'BALANCER_WORKERS: found "1e2", expected a whole number from 1 to 256',
    'BALANCER_ON_NODE_DOWN: found "cut:86401", expected keep, cut, or cut:SECONDS with a whole number from 0 to 86400',
    'BALANCER_CLIENT_TABLE_ENTRIES: found "999", expected a whole number from 1000 to 10000000',
    'BALANCER_THROTTLE_IPV6_PREFIX: found "129", expected a whole number from 1 to 128',
    'BALANCER_DATA_DIR: found "run", expected an absolute path',
  ]);
});

test('check --json: every error and warning as data on stdout, and of what is no file that it is none', async () => {
  const bad = fileWith(BAD);
  const good = fileWith(GOOD_WITH_A_WARNING);
  const [ran, warned, missing] = await Promise.all(
    [bad, good, '/no/such/file'].map((file) => runBinary(['check', '--json', '-f', file])),
  );
  expect([ran?.code, ran?.stderr]).toEqual([EXIT_CONFIG, '']);
  expect(JSON.parse(ran?.stdout ?? '')).toMatchObject({
    file: bad,
    ok: false,
    errors: [
      { line: 4, path: 'nodebalancers[0].configs[0].check_path', sentence: 'An HTTP path is required.' },
      { line: 4, path: 'nodebalancers[0].configs[0].port' },
      { line: 4, path: 'nodebalancers[0].configs[0].algorithm' },
    ],
  });
  expect([warned?.code, warned?.stderr]).toEqual([0, '']);
  expect(JSON.parse(warned?.stdout ?? '')).toMatchObject({
    ok: true,
    errors: [],
    warnings: [{ path: 'nodebalancers[0].configs[0].queue_size' }],
  });
  expect(missing).toMatchObject({ code: EXIT_CONFIG, stderr: '' });
  expect(JSON.parse(missing?.stdout ?? '')).toMatchObject({ ok: false });
});

describe.concurrent('a data directory that cannot be made is told, and there is no start', () => {
  for (const directory of ['/proc/balancer', '/dev/null/balancer']) {
    test(directory, async () => {
      const sentence = `the directory ${directory} cannot be made: `;
      const env = { BALANCER_DATA_DIR: directory };
      const withFile = { env: { ...env, BALANCER_ADMIN_ADDRESS: 'off' } };
      const [off, stored, token] = await Promise.all([
        runBinary(['run', '-f', fileWith(GOOD)], withFile),
        runBinary(['run'], { env }),
        runBinary(['token', 'create', '--scope', 'read_only', '--label', 'x'], { env }),
      ]);
      for (const [ran, code, begin] of [
        [off, EXIT_CONFIG, 'BALANCER_DATA_DIR: '],
        [stored, EXIT_CONFIG, ''],
        [token, EXIT_FAILURE, 'balancer: '],
      ] as const) {
        expectRefused(ran, code);
        expect(ran.lines).toEqual([expect.stringContaining(`${begin}${sentence}`)]);
      }
    });
  }
});
