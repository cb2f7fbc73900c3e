// What is wrong is said completely, in sentences, and before anything starts: bad files and bad variables end `run` and `check`
// with the same words and the right exit code, without a stack trace. Ports that cannot be had are in busy-port.test.ts.

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { freePorts } from '../../../testing/ports.ts';
import { makeTemporaryDirectory } from '../../../testing/temporary.ts';
import { fileWith, type Ran, runBinary } from './binary.ts';

const EXIT_USAGE = 2;
const EXIT_CONFIG = 78;

const [port = 0, otherPort = 0] = await freePorts(2);

/** A good file but for what a case puts in. */
function yaml(overrides: { port?: string | number; config?: string; node?: string; extra?: string } = {}): string {
  const node = overrides.node ?? 'address: "127.0.0.1:9"';
  return [
    'nodebalancers:',
    '  - label: test',
    '    ipv4: 127.0.0.1',
    '    configs:',
    `      - port: ${overrides.port ?? port}`,
    ...(overrides.config === undefined ? [] : [`        ${overrides.config}`]),
    '        nodes:',
    `          - { label: one, ${node} }`,
    ...(overrides.extra === undefined ? [] : [overrides.extra]),
    '',
  ].join('\n');
}

function expectRefused(ran: Ran, code: number): void {
  expect(ran.code, ran.stderr).toBe(code);
  expect(ran.stderr).not.toMatch(/^ {4}at /m);
  expect(ran.stderr).not.toMatch(/\bready\b/);
  expect(ran.stdout).toBe('');
  expect(ran.lines.length).toBeGreaterThan(0);
}

function aliasBomb(): string {
  const names = [...'abcdefghij'];
  const lines = names.map((name, i) => {
    const before = names[i - 1];
    return `${name}: &${name} [${Array(9)
      .fill(before === undefined ? 'lol' : `*${before}`)
      .join(', ')}]`;
  });
  return `${lines.join('\n')}\nnodebalancers: *j\n`;
}

interface BadFile {
  name: string;
  content: string | Uint8Array;
  /** one pattern per error that has to be listed */
  says: RegExp[];
  file?: string;
  /** `run` is asked as well as `check`: once for each stage of reading */
  runs?: true;
}

const HEAD = yaml().split('\n').slice(0, 4).join('\n').concat('\n');
const BAD_PORTS = ['0', '65536', '"80"', '1.5', '-1', 'http', '[80]', 'null'];
const BAD_WEIGHTS = ['0', '256', '1.5', '"50"'];
const BAD_ADDRESSES = [
  '127.0.0.1',
  '127.0.0.1:0',
  '127.0.0.1:65536',
  '300.0.0.1:80',
  '[::1:80',
  '::1:80',
  'http://a:80',
  '',
];

const BAD_FILES: BadFile[] = [
  { name: 'broken YAML', runs: true, content: 'nodebalancers: [\n', says: [/:\d+:\d+: /] },
  { name: 'broken JSON', content: '{"nodebalancers": [', says: [/:\d+:\d+: /], file: 'balancer.json' },
  { name: 'an alias bomb', runs: true, content: aliasBomb(), says: [/:\d+:\d+: /] },
  { name: '10,000 lists inside each other', content: `${'['.repeat(10_000)}${']'.repeat(10_000)}`, says: [/:1:\d+: /] },
  { name: '10,000 mappings inside each other', content: '{a: '.repeat(10_000), says: [/:1:\d+: /] },
  {
    name: 'a binary file',
    runs: true,
    content: Uint8Array.from({ length: 4096 }, (_, i) => (i * 37) & 255),
    says: [/:\d+:\d+: /],
  },
  { name: 'an empty file', runs: true, content: '', says: [/the file is empty/] },
  { name: 'nothing but comments', content: '# nothing\n\n', says: [/the file is empty/] },
  {
    name: 'unknown keys',
    content: yaml({ config: 'protocl: tcp' }),
    says: [/:6:9: .*protocl.*did you mean "protocol"/],
  },
  {
    name: 'impossible ports, each named with its line',
    content: `${HEAD}${BAD_PORTS.map((text) => `      - port: ${text}\n        nodes: []\n`).join('')}`,
    says: BAD_PORTS.map((_, i) => new RegExp(`:${5 + 2 * i}:15: nodebalancers\\[0\\]\\.configs\\[${i}\\]\\.port: `)),
  },
  {
    name: 'impossible weights and node addresses, each named with its line',
    content: yaml({
      extra: [
        ...BAD_WEIGHTS.map((text) => `          - { address: "127.0.0.1:9", weight: ${text}, label: one }`),
        ...BAD_ADDRESSES.map((text) => `          - { address: ${JSON.stringify(text)}, label: one }`),
      ].join('\n'),
    }),
    says: [
      ...BAD_WEIGHTS.map((_, i) => new RegExp(`:${8 + i}:\\d+: .*nodes\\[${1 + i}\\]\\.weight: `)),
      ...BAD_ADDRESSES.map((_, i) => {
        const before = 1 + BAD_WEIGHTS.length + i;
        return new RegExp(`:${7 + before}:\\d+: .*nodes\\[${before}\\]\\.address: `);
      }),
    ],
  },
  {
    name: 'proxy_protocol v3',
    content: yaml({ config: 'proxy_protocol: v3' }),
    says: [/:6:\d+: .*proxy_protocol: found "v3", expected .*v1.*v2/],
  },
  {
    name: 'the same port twice',
    content: yaml({ extra: `      - port: ${port}\n        nodes: []` }),
    says: [new RegExp(`127\\.0\\.0\\.1:${port}.*line 5`)],
  },
  {
    name: 'many mistakes at once',
    runs: true,
    content: yaml({ port: 0, config: 'algorithm: fastest', node: 'address: x, weight: 999, mode: on, nme: 1' }),
    says: [/\.port: /, /algorithm: /, /address: /, /weight: /, /mode: /, /nme: /],
  },
];

describe.concurrent('bad files: run and check say the same, exit 78', () => {
  for (const { name, content, says, file, runs } of BAD_FILES) {
    test(name, async () => {
      const path = fileWith(content, file);
      const checked = await runBinary(['check', '-f', path]);
      expectRefused(checked, EXIT_CONFIG);
      for (const pattern of says) expect(checked.stderr).toMatch(pattern);
      for (const line of checked.lines) expect(line.startsWith(path), line).toBe(true);
      if (runs !== true) return;
      const ran = await runBinary(['run', '-f', path]);
      expectRefused(ran, EXIT_CONFIG);
      expect(ran.stderr).toBe(checked.stderr);
    });
  }
});

/** Lines of the config, which begin on line 6; what is said about them, after the name of the file. */
const BAD_POOLS: [name: string, config: string[], nodes: string[], says: string[]][] = [
  [
    'checks out of their ranges',
    ['check_interval: 3601', 'check_timeout: 0', 'check_attempts: 31'],
    [''],
    [
      '6:25: nodebalancers[0].configs[0].check_interval: found 3601, expected a whole number from 2 to 3600. Interval should be less than or equal to 3600.',
      '7:24: nodebalancers[0].configs[0].check_timeout: found 0, expected a whole number from 1 to 30. Timeout should be greater than or equal to 1.',
      '8:25: nodebalancers[0].configs[0].check_attempts: found 31, expected a whole number from 1 to 30. Attempts should be less than or equal to 30.',
    ],
  ],
  [
    'an interval as long as the timeout',
    ['check: connection', 'check_interval: 10', 'check_timeout: 10'],
    [''],
    ['8:24: nodebalancers[0].configs[0].check_timeout: found 10 s, expected less than check_interval (10 s)'],
  ],
  [
    'check http without a path',
    ['check: http'],
    [''],
    [
      '5:9: nodebalancers[0].configs[0].check_path: found no check_path, expected a path for check http. An HTTP path is required.',
    ],
  ],
  [
    'check http_body without an expression',
    ['check: http_body', 'check_path: /health'],
    [''],
    [
      '5:9: nodebalancers[0].configs[0].check_body: found no check_body, expected a regular expression for check http_body. An HTTP body regex is required.',
    ],
  ],
  [
    'check http_body with an expression that is none',
    ['check: http_body', 'check_path: /health', 'check_body: "(ok"'],
    [''],
    [
      '8:21: nodebalancers[0].configs[0].check_body: found "(ok" (missing closing ")"), expected a regular expression of at most 1024 characters',
    ],
  ],
  [
    'check http_body with an expression that takes more than linear time',
    ['check: http_body', 'check_path: /health', 'check_body: "ok(?!.*error)"'],
    [''],
    [
      '8:21: nodebalancers[0].configs[0].check_body: found "ok(?!.*error)" (look-ahead, which the linear-time engine does not have), expected a regular expression of at most 1024 characters',
    ],
  ],
  [
    'a cookie in protocol tcp',
    ['stickiness: http_cookie'],
    [''],
    [
      '6:21: nodebalancers[0].configs[0].stickiness: found "http_cookie" (only for protocol http and https), expected none or table',
    ],
  ],
  [
    'a checksum that no node could be sent',
    ['proxy_protocol: v1', 'proxy_protocol_crc32c: true'],
    ['proxy_protocol: none', ''],
    [
      '7:32: nodebalancers[0].configs[0].proxy_protocol_crc32c: found a checksum with proxy_protocol v1, expected proxy_protocol v2, of the config or of a node',
    ],
  ],
  [
    'limits and queues out of their ranges',
    ['queue_size: -1', 'queue_timeout: 0'],
    ['max_connections: 1000001', 'slow_start: 3601', 'proxy_protocol: v3', 'weight: 256'],
    [
      '6:21: nodebalancers[0].configs[0].queue_size: found -1, expected a whole number from 0 to 100000',
      '7:24: nodebalancers[0].configs[0].queue_timeout: found 0, expected a whole number from 1 to 3600',
      '9:71: nodebalancers[0].configs[0].nodes[0].max_connections: found 1000001, expected a whole number from 0 to 1000000',
      '10:66: nodebalancers[0].configs[0].nodes[1].slow_start: found 3601, expected a whole number from 0 to 3600',
      '11:70: nodebalancers[0].configs[0].nodes[2].proxy_protocol: found "v3", expected none, v1 or v2 or null',
      '12:62: nodebalancers[0].configs[0].nodes[3].weight: found 256, expected a whole number from 1 to 255. Weight must be between 1 and 255.',
    ],
  ],
];

function poolYaml(config: readonly string[], nodes: readonly string[]): string {
  const entries = nodes.map((rest, i) => `          - { label: node-${i}, address: "127.0.0.1:${i + 1}", ${rest} }`);
  return `${[HEAD.trimEnd(), `      - port: ${port}`, ...config.map((line) => `        ${line}`), '        nodes:', ...entries].join('\n')}\n`;
}

describe.concurrent('bad pools: each mistake in one line, with the words that the Linode API has for it', () => {
  test.each(BAD_POOLS)('%s', async (_name, config, nodes, says) => {
    const path = fileWith(poolYaml(config, nodes));
    const checked = await runBinary(['check', '-f', path]);
    expectRefused(checked, EXIT_CONFIG);
    expect(checked.lines).toEqual(says.map((line) => `${path}:${line}`));
  });

  test('a throttle beyond its range', async () => {
    const text = yaml().replace('    ipv4:', '    client_conn_throttle: 21\n    ipv4:');
    const path = fileWith(text);
    const ran = await runBinary(['run', '-f', path]);
    expectRefused(ran, EXIT_CONFIG);
    expect(ran.lines).toEqual([
      `${path}:3:27: nodebalancers[0].client_conn_throttle: found 21, expected a whole number from 0 to 20. Client Connection Throttle must be between 0 and 20.`,
    ]);
  });

  test('as data, each sentence stands by itself', async () => {
    const path = fileWith(poolYaml(['check: http', 'check_attempts: 0'], ['']));
    const { code, stdout } = await runBinary(['check', '--json', '-f', path]);
    expect(code).toBe(EXIT_CONFIG);
    expect(JSON.parse(stdout).errors).toMatchObject([
      { path: 'nodebalancers[0].configs[0].check_path', sentence: 'An HTTP path is required.' },
      {
        path: 'nodebalancers[0].configs[0].check_attempts',
        sentence: 'Attempts should be greater than or equal to 1.',
      },
    ]);
  });

  test('what has no effect is a warning, and no mistake', async () => {
    const config = ['algorithm: source', 'queue_size: 10'];
    const path = fileWith(poolYaml(config, ['slow_start: 30', 'mode: drain']));
    const { code, stdout, lines } = await runBinary(['check', '-f', path]);
    expect([code, stdout]).toEqual([0, `${path}: ok, 1 nodebalancer, 1 port, 2 nodes\n`]);
    const at = 'nodebalancers[0].configs[0]';
    expect(lines).toEqual([
      `${path}:7:21: ${at}.queue_size: warning: queue_size 10 has no effect: no node of the config has max_connections`,
      `${path}:9:66: ${at}.nodes[0].slow_start: warning: slow_start 30 has no effect with algorithm source: clients keep to their node`,
      `${path}:10:60: ${at}.nodes[1].mode: warning: drain acts as reject: only stickiness table pins clients`,
    ]);
  });
});

describe.concurrent('things that are no file', () => {
  const directory = makeTemporaryDirectory('input');
  const fifo = join(directory, 'fifo');
  execFileSync('mkfifo', [fifo]);
  for (const [name, path, says] of [
    ['a directory', directory, /is a directory/],
    ['a missing file', join(directory, 'missing.yaml'), /no such file/],
    ['a FIFO', fifo, /is not a regular file/],
    ['a device', '/dev/zero', /is not a regular file/],
    ['a path through a file', join(fileWith('x'), 'y'), /ENOTDIR|not a directory/],
  ] as const) {
    test(name, async () => {
      const [ran, checked] = await Promise.all([runBinary(['run', '-f', path]), runBinary(['check', '-f', path])]);
      expectRefused(ran, EXIT_CONFIG);
      expect(ran.stderr).toMatch(says);
      expect(ran.stderr).toContain(path);
      expect(checked).toEqual(ran);
    });
  }
});

test('a byte order mark and CRLF are no mistakes, and places are right with both', async () => {
  const good = await runBinary(['check', '-f', fileWith(`\uFEFF${yaml()}`.replaceAll('\n', '\r\n'))]);
  expect(good).toMatchObject({ code: 0, stderr: '' });
  expect(good.stdout).toMatch(/: ok, 1 nodebalancer, 1 port, 1 node\n$/);
  const path = fileWith(`\uFEFF${yaml({ port: 0 })}`.replaceAll('\n', '\r\n'));
  const bad = await runBinary(['check', '-f', path]);
  expectRefused(bad, EXIT_CONFIG);
  expect(bad.stderr).toMatch(/:5:15: nodebalancers\[0\]\.configs\[0\]\.port: /);
});

describe('check --json', () => {
  test('a bad file: every error as data on stdout', async () => {
    const path = fileWith(yaml({ port: 0, config: 'algorithm: fastest' }));
    const { code, stdout, stderr } = await runBinary(['check', '-f', path, '--json']);
    expect([code, stderr]).toEqual([EXIT_CONFIG, '']);
    const result = JSON.parse(stdout);
    expect(result).toMatchObject({ file: path, ok: false });
    expect(result.errors).toMatchObject([
      { line: 5, path: 'nodebalancers[0].configs[0].port' },
      { line: 6, path: 'nodebalancers[0].configs[0].algorithm' },
    ]);
  });

  test('a good file and a missing one', async () => {
    const good = await runBinary(['check', '--json', '-f', fileWith(yaml({ port: otherPort }))]);
    expect(good).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(good.stdout)).toMatchObject({ ok: true, errors: [], warnings: [] });
    const missing = await runBinary(['check', '--json', '-f', '/no/such/file']);
    expect(missing).toMatchObject({ code: EXIT_CONFIG, stderr: '' });
    expect(JSON.parse(missing.stdout)).toMatchObject({ ok: false });
  });
});

test('a bad file and bad variables are all told at once', async () => {
  const env = { BALANCER_WORKERS: 'abc', BALANCER_SPLICE: 'maybe' };
  const ran = await runBinary(['run', '-f', fileWith(yaml({ port: 0, config: 'algorithm: fastest' }))], { env });
  expectRefused(ran, EXIT_CONFIG);
  for (const name of ['.port: ', 'algorithm: ', 'BALANCER_WORKERS: ', 'BALANCER_SPLICE: ']) {
    expect(ran.stderr).toContain(name);
  }
});

test('impossible numbers of workers are refused', async () => {
  const path = fileWith(yaml());
  const texts = ['abc', '0', '-1', '1.5', '1e2', '257'];
  const runs = await Promise.all(
    texts.map((text) => runBinary(['run', '-f', path], { env: { BALANCER_WORKERS: text } })),
  );
  for (const [i, ran] of runs.entries()) {
    expectRefused(ran, EXIT_USAGE);
    expect(ran.lines).toEqual([`BALANCER_WORKERS: found "${texts[i]}", expected a whole number from 1 to 256`]);
  }
});

test('impossible variables of the pool are refused', async () => {
  const env = {
    BALANCER_ON_NODE_DOWN: 'cut:86401',
    BALANCER_CLIENT_TABLE_ENTRIES: '999',
    BALANCER_THROTTLE_IPV6_PREFIX: '129',
    BALANCER_DATA_DIR: 'run',
  };
  const ran = await runBinary(['run', '-f', fileWith(yaml())], { env });
  expectRefused(ran, EXIT_USAGE);
  expect(ran.lines).toEqual([
    'BALANCER_ON_NODE_DOWN: found "cut:86401", expected keep, cut, or cut:SECONDS with a whole number from 0 to 86400',
    'BALANCER_CLIENT_TABLE_ENTRIES: found "999", expected a whole number from 1000 to 10000000',
    'BALANCER_THROTTLE_IPV6_PREFIX: found "129", expected a whole number from 1 to 128',
    'BALANCER_DATA_DIR: found "run", expected an absolute path',
  ]);
});
