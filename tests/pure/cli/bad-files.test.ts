// What is wrong with a file is said completely, in sentences that name their place: what `check`, a start and a reload print is
// made by one function, which is asked here. That the command prints it, and how it ends, is in tests/system/process/bad-input.test.ts.

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { describeFile, readConfigFile } from '../../../cli/config-file.ts';
import { readEnvironment } from '../../../cli/environment.ts';
import { ownAddresses } from '../../../cli/own-addresses.ts';
import { fileWith } from '../../../testing/files.ts';
import { makeTemporaryDirectory } from '../../../testing/temporary.ts';

const port = 8080;

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

/** @returns the lines that a refused file gets */
function problemsOf(path: string): string[] {
  const reading = readConfigFile(path);
  if ('config' in reading) throw new Error(`${path} is accepted`);
  return reading.messages.split('\n');
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
  { name: 'broken YAML', content: 'nodebalancers: [\n', says: [/:\d+:\d+: /] },
  { name: 'broken JSON', content: '{"nodebalancers": [', says: [/:\d+:\d+: /], file: 'balancer.json' },
  { name: 'an alias bomb', content: aliasBomb(), says: [/:\d+:\d+: /] },
  { name: '10,000 lists inside each other', content: `${'['.repeat(10_000)}${']'.repeat(10_000)}`, says: [/:1:\d+: /] },
  { name: '10,000 mappings inside each other', content: '{a: '.repeat(10_000), says: [/:1:\d+: /] },
  {
    name: 'a binary file',

    content: Uint8Array.from({ length: 4096 }, (_, i) => (i * 37) & 255),
    says: [/:\d+:\d+: /],
  },
  { name: 'an empty file', content: '', says: [/the file is empty/] },
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

    content: yaml({ port: 0, config: 'algorithm: fastest', node: 'address: x, weight: 999, mode: on, nme: 1' }),
    says: [/\.port: /, /algorithm: /, /address: /, /weight: /, /mode: /, /nme: /],
  },
];

describe('bad files', () => {
  test.each(BAD_FILES)('$name', ({ content, says, file }) => {
    const path = fileWith(content, file);
    const lines = problemsOf(path);
    for (const pattern of says) expect(lines.join('\n')).toMatch(pattern);
    for (const line of lines) expect(line.startsWith(path), line).toBe(true);
  });
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

describe('bad pools: each mistake in one line, with the words that the Linode API has for it', () => {
  test.each(BAD_POOLS)('%s', (_name, config, nodes, says) => {
    const path = fileWith(poolYaml(config, nodes));
    expect(problemsOf(path)).toEqual(says.map((line) => `${path}:${line}`));
  });

  test('a throttle beyond its range', () => {
    const path = fileWith(yaml().replace('    ipv4:', '    client_conn_throttle: 21\n    ipv4:'));
    expect(problemsOf(path)).toEqual([
      `${path}:3:27: nodebalancers[0].client_conn_throttle: found 21, expected a whole number from 0 to 20. Client Connection Throttle must be between 0 and 20.`,
    ]);
  });

  test('what has no effect is a warning, and no mistake', () => {
    const config = ['algorithm: source', 'queue_size: 10'];
    const path = fileWith(poolYaml(config, ['slow_start: 30', 'mode: drain']));
    const reading = readConfigFile(path);
    if (!('config' in reading)) throw new Error(reading.messages);
    expect(describeFile(reading.config)).toBe('1 nodebalancer, 1 port, 2 nodes');
    const at = 'nodebalancers[0].configs[0]';
    expect(reading.notices.split('\n')).toEqual([
      `${path}:7:21: ${at}.queue_size: warning: queue_size 10 has no effect: no node of the config has max_connections`,
      `${path}:9:66: ${at}.nodes[0].slow_start: warning: slow_start 30 has no effect with algorithm source: clients keep to their node`,
      `${path}:10:60: ${at}.nodes[1].mode: warning: drain acts as reject: only stickiness table pins clients`,
    ]);
  });
});

describe('a node that is the balancer itself', () => {
  const at = 'nodebalancers[0].configs[0].nodes[0].address';

  test('is refused where it leads back to its port', () => {
    const path = fileWith(yaml({ node: `address: "127.0.0.1:${port}"` }));
    expect(problemsOf(path)).toEqual([
      `${path}:7:36: ${at}: found "127.0.0.1:8080" (a circle: test port 8080 -> test port 8080), expected a node that does not lead back to its own port`,
    ]);
  });

  test.each([{}, { ADMIN_ADDRESS: '0.0.0.0:8080' }])('is refused where it is the API: %j', (variables) => {
    const path = fileWith(yaml({ port: 80, node: 'address: "127.0.0.1:8080"' }));
    const reading = readConfigFile(path, ownAddresses(environmentOf(variables)));
    expect(reading).toMatchObject({
      messages: `${path}:7:36: ${at}: found "127.0.0.1:8080" (the address of this balancer's API), expected another address, or the API at another (BALANCER_ADMIN_ADDRESS)`,
    });
  });

  test.each(['127.0.0.1:8081', '[::]:8080', 'off'])('is another program where the API is at %s', (address) => {
    const path = fileWith(yaml({ port: 80, node: 'address: "127.0.0.1:8080"' }));
    expect(readConfigFile(path, ownAddresses(environmentOf({ ADMIN_ADDRESS: address })))).toHaveProperty('config');
  });
});

function environmentOf(variables: Readonly<Record<string, string>>) {
  const named = Object.entries(variables).map(([name, value]) => [`BALANCER_${name}`, value]);
  return readEnvironment(Object.fromEntries(named)).values;
}

describe('things that are no file', () => {
  const directory = makeTemporaryDirectory('input');
  const fifo = join(directory, 'fifo');
  execFileSync('mkfifo', [fifo]);
  test.each([
    ['a directory', directory, /is a directory/],
    ['a missing file', join(directory, 'missing.yaml'), /no such file/],
    ['a FIFO', fifo, /is not a regular file/],
    ['a device', '/dev/zero', /is not a regular file/],
    ['a path through a file', join(fileWith('x'), 'y'), /ENOTDIR|not a directory/],
  ] as const)('%s', (_name, path, says) => {
    const lines = problemsOf(path);
    expect(lines.join('\n')).toMatch(says);
    expect(lines[0]).toContain(path);
  });
});

test('a byte order mark and CRLF are no mistakes, and places are right with both', () => {
  const good = readConfigFile(fileWith(`\uFEFF${yaml()}`.replaceAll('\n', '\r\n')));
  expect(good).toMatchObject({ notices: '' });
  const path = fileWith(`\uFEFF${yaml({ port: 0 })}`.replaceAll('\n', '\r\n'));
  expect(problemsOf(path)[0]).toMatch(/:5:15: nodebalancers\[0\]\.configs\[0\]\.port: /);
});
