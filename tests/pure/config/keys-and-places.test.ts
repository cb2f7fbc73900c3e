// Unknown, missing and repeated keys, defaults, and where each error points.

import { describe, expect, test } from 'vitest';
import { configErrorsToJson } from '../../../core/config/format.ts';
import { configOf, errorLines, errorsOf, onlyError, withFrontend } from './support.ts';

test('defaults are filled in, so that a configuration is total', () => {
  const text = 'nodebalancers: [{ label: web, configs: [{ port: 80, nodes: [{ label: abc, address: "h:1" }] }] }]';
  expect(configOf(text)).toEqual({
    nodebalancers: [
      {
        label: 'web',
        ipv4: '0.0.0.0',
        ipv6: null,
        client_conn_throttle: 0,
        configs: [
          {
            port: 80,
            protocol: 'tcp',
            algorithm: 'roundrobin',
            stickiness: 'none',
            proxy_protocol: 'none',
            proxy_protocol_crc32c: false,
            check: 'none',
            check_interval: 5,
            check_timeout: 3,
            check_attempts: 3,
            check_path: '',
            check_body: '',
            check_passive: true,
            queue_size: 1000,
            queue_timeout: 5,
            nodes: [
              {
                label: 'abc',
                address: 'h:1',
                weight: 50,
                mode: 'accept',
                max_connections: 0,
                slow_start: 0,
                proxy_protocol: null,
              },
            ],
          },
        ],
      },
    ],
  });
});

test('JSON and YAML of the same content are the same configuration', () => {
  const config = configOf(withFrontend('nodes:', '  - { label: abc, address: "h:1" }'));
  expect(configOf(JSON.stringify(config, null, '\t'), 'c.json')).toEqual(config);
  expect(configOf(JSON.stringify(config), 'c.yaml')).toEqual(config);
});

describe('a missing key is reported where its parent begins', () => {
  test.each([
    ['{}', '1:1: nodebalancers: found no nodebalancers, expected a list of nodebalancers'],
    ['nodebalancers:\n  - ipv4: 0.0.0.0\n', '2:5: nodebalancers[0].label: found no label, expected 3 to 32 letters'],
    ['nodebalancers:\n  - { }\n', '2:5: nodebalancers[0].label: found no label, expected 3 to 32 letters'],
    [
      withFrontend('nodes:', '  - label: abc'),
      '6:13: nodebalancers[0].configs[0].nodes[0].address: found no address, expected',
    ],
    [
      'nodebalancers:\n  - label: web\n    configs:\n      - protocol: tcp\n',
      '4:9: nodebalancers[0].configs[0].port: found no port, expected a whole number from 1 to 65535',
    ],
  ])('%j', (text, message) => {
    expect(errorLines(text)[0]).toContain(`c.yaml:${message}`);
  });
});

describe('an unknown key is reported where it stands', () => {
  test.each([
    ['proxyProtocol: v2', 'proxy_protocol'],
    ['algoritm: source', 'algorithm'],
    ['timeout: 3', 'check_timeout'],
    ['node: []', 'nodes'],
  ])('%s, with a guess', (line, meant) => {
    const key = line.slice(0, line.indexOf(':'));
    const error = onlyError(withFrontend(line));
    expect(error).toContain(
      `5:9: nodebalancers[0].configs[0].${key}: found an unknown key "${key}", expected one of port, `,
    );
    expect(error.endsWith(`; did you mean "${meant}"?`)).toBe(true);
  });

  test('a misspelled key is not reported as missing too', () => {
    expect(errorLines('nodebalancers: [{ lable: web, configs: [{ prot: 80 }] }]')).toHaveLength(2);
  });

  test.each(['backends', 'constructor', 'toString'])('%s, without a guess', (key) => {
    const error = onlyError(withFrontend(`${key}: []`));
    expect(error).toContain(`.${key}: found an unknown key "${key}", expected one of port, `);
    expect(error).not.toContain('did you mean');
  });

  test('unless people know it from elsewhere: then with the reason', () => {
    expect(onlyError(withFrontend('ssl_cert: x'))).toContain(
      'found "ssl_cert" (protocol https is not served yet), expected',
    );
    expect(onlyError(withFrontend('<<: { check: none }'))).toContain(
      '["<<"]: found "<<" (merge keys are not supported)',
    );
  });

  test('a key of __proto__ does not become a prototype', () => {
    expect(onlyError('nodebalancers: []\n__proto__: { label: web }\n')).toContain('__proto__: found an unknown key');
    expect(onlyError('{"nodebalancers": [{"label": "web", "__proto__": {"ipv4": 1}}]}', 'c.json')).toContain(
      'unknown key',
    );
  });
});

test('a key twice is an error at the second, with the place of the first', () => {
  expect(onlyError('nodebalancers: []\nnodebalancers: []\n')).toBe(
    '2:1: nodebalancers: found the key "nodebalancers" again (also at line 1), expected each key once',
  );
  expect(onlyError(withFrontend('check: none', 'check: none'))).toContain(
    '6:9: nodebalancers[0].configs[0].check: found the key',
  );
  expect(onlyError('{"nodebalancers": [], "nodebalancers": []}', 'c.json')).toContain('(also at column 2)');
});

test.each(['[1]: 2', '? { a: 1 }\n: 2', '&a x: 1\n*a : 2'])('a key is a word: %j is not', (text) => {
  expect(errorLines(`nodebalancers: []\n${text}\n`).join()).toContain(
    'found a key that is a list, a mapping or an alias',
  );
});

test('all errors come at once, in the order of the file', () => {
  const errors = errorsOf(
    `${withFrontend(
      'protocol: tpc',
      'checks: none',
      'nodes:',
      '  - { label: a, address: x, weight: 0, mode: off }',
      '  - 5',
    )}
  - label: web
more: 1
`,
  );
  expect(errors.map(({ path }) => path)).toEqual([
    'nodebalancers[0].configs[0].protocol',
    'nodebalancers[0].configs[0].checks',
    'nodebalancers[0].configs[0].nodes[0].label',
    'nodebalancers[0].configs[0].nodes[0].address',
    'nodebalancers[0].configs[0].nodes[0].weight',
    'nodebalancers[0].configs[0].nodes[0].mode',
    'nodebalancers[0].configs[0].nodes[1]',
    'nodebalancers[1].label',
    'more',
  ]);
});

describe('kinds', () => {
  test.each([
    ['hello', '1:1: found the text "hello", expected a mapping with nodebalancers'],
    ['- a', '1:1: found a list, expected a mapping with nodebalancers'],
    ['nodebalancers: {}', '1:16: nodebalancers: found a mapping, expected a list of nodebalancers'],
    ['nodebalancers: web', '1:16: nodebalancers: found the text "web", expected a list of nodebalancers'],
    ['nodebalancers: [80]', '1:17: nodebalancers[0]: found the number 80, expected a mapping with label, ipv4, '],
    ['nodebalancers:', '1:15: nodebalancers: found nothing, expected a list of nodebalancers'],
  ])('%s', (text, message) => {
    expect(onlyError(text)).toContain(message);
  });
});

test('a byte order mark and CRLF move no position', () => {
  const text = withFrontend('check: tcp');
  expect(errorLines(`\uFEFF${text.replaceAll('\n', '\r\n')}`)).toEqual(errorLines(text));
  expect(onlyError(text)).toContain('5:16: nodebalancers[0].configs[0].check: found "tcp"');
});

test('errors as data', () => {
  expect(configErrorsToJson(errorsOf(withFrontend('algorithm: roundrobbin')))).toEqual([
    {
      file: 'c.yaml',
      line: 5,
      col: 20,
      path: 'nodebalancers[0].configs[0].algorithm',
      found: '"roundrobbin"',
      expected: 'roundrobin, leastconn or source',
      did_you_mean: 'roundrobin',
      also: null,
      reason: 'found "roundrobbin", expected roundrobin, leastconn or source; did you mean "roundrobin"?',
    },
  ]);
});

test('an error that the Linode API has a sentence for gives that as its reason', () => {
  const [error] = configErrorsToJson(errorsOf(withFrontend('check_attempts: 31')));
  expect(error).toMatchObject({
    found: '31',
    expected: 'a whole number from 1 to 30',
    reason: 'Attempts should be less than or equal to 30.',
  });
});

test('anchors and aliases save repetition', () => {
  const text = `nodebalancers:
  - label: web
    configs:
      - port: 80
        nodes: &pool
          - { label: abc, address: "h:1" }
      - port: 81
        nodes: *pool
`;
  const frontends = configOf(text).nodebalancers[0]?.configs ?? [];
  expect(frontends[1]?.nodes).toEqual(frontends[0]?.nodes);
});

test('an alias keeps the meaning that its anchor had above it', () => {
  const text = `nodebalancers:
  - label: &l web
    configs: &c [{ port: 80, nodes: [{ label: &n abc, address: &x "h:1" }, { label: abd, address: "h:2" }] }]
  - { label: &l two, ipv6: &y "::1", ipv4: 192.0.2.1, configs: [{ port: &p 81 }] }
  - { label: *n, ipv4: 192.0.2.2, configs: [{ port: *p, nodes: [{ label: *l, address: *x }] }] }
`;
  const third = configOf(text).nodebalancers[2];
  expect(third?.label).toBe('abc');
  expect(third?.configs[0]?.nodes[0]).toMatchObject({ label: 'two', address: 'h:1' });
});
