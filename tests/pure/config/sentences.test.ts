// What the Linode API and its clients say about a bad value, word for word: programs look for these texts. The words before them
// say what was found and what is expected; values.test.ts and rules.test.ts have those.

import { describe, expect, test } from 'vitest';
import { errorsOf, onlyError, withFrontend, withNodes } from './support.ts';

const LONG = 'a'.repeat(33);

function nodebalancer(fields: string): string {
  return `nodebalancers: [{ ${fields} }]`;
}

function node(fields: string): string {
  return withFrontend('nodes:', `  - { ${fields} }`);
}

const CASES: [text: string, path: string, sentence: string][] = [
  [nodebalancer('ipv4: 0.0.0.0'), 'nodebalancers[0].label', 'Label is required.'],
  [nodebalancer('label: ab'), 'nodebalancers[0].label', 'Label must be between 3 and 32 characters.'],
  [nodebalancer(`label: ${LONG}`), 'nodebalancers[0].label', 'Label must be between 3 and 32 characters.'],
  [nodebalancer('label: a b c'), 'nodebalancers[0].label', "Label can't contain special characters or spaces."],
  ...['-1', '21'].map((value): [string, string, string] => [
    nodebalancer(`label: web, client_conn_throttle: ${value}`),
    'nodebalancers[0].client_conn_throttle',
    'Client Connection Throttle must be between 0 and 20.',
  ]),
  [
    nodebalancer('label: web, client_conn_throttle: many'),
    'nodebalancers[0].client_conn_throttle',
    'Client Connection Throttle must be a number.',
  ],
  [nodebalancer('label: web, configs: [{}]'), 'nodebalancers[0].configs[0].port', 'Port is required'],
  ...['0', '65536'].map((value): [string, string, string] => [
    nodebalancer(`label: web, configs: [{ port: ${value} }]`),
    'nodebalancers[0].configs[0].port',
    'Port must be between 1 and 65535.',
  ]),
  [nodebalancer('label: web, configs: [{ port: "80" }]'), 'nodebalancers[0].configs[0].port', 'Port must be a number.'],
  [
    nodebalancer('label: web, configs: [{ port: 80 }, { port: 80 }]'),
    'nodebalancers[0].configs[1].port',
    'Port must be unique amongst TCP / HTTP / HTTPS configurations.',
  ],
  ...Object.entries({
    'check_attempts: 0': 'Attempts should be greater than or equal to 1.',
    'check_attempts: 31': 'Attempts should be less than or equal to 30.',
    'check_timeout: 0': 'Timeout should be greater than or equal to 1.',
    'check_timeout: 31': 'Timeout should be less than or equal to 30.',
    'check_interval: 1': 'Interval should be greater than or equal to 2.',
    'check_interval: 3601': 'Interval should be less than or equal to 3600.',
  }).map(([line, sentence]): [string, string, string] => [
    withFrontend(line),
    `nodebalancers[0].configs[0].${line.slice(0, line.indexOf(':'))}`,
    sentence,
  ]),
  [withFrontend('check: http'), 'nodebalancers[0].configs[0].check_path', 'An HTTP path is required.'],
  [
    withFrontend('check: http_body', 'check_path: /'),
    'nodebalancers[0].configs[0].check_body',
    'An HTTP body regex is required.',
  ],
  [node('address: "h:1"'), 'nodebalancers[0].configs[0].nodes[0].label', 'label is required'],
  ...['ab', LONG].map((label): [string, string, string] => [
    node(`label: ${label}, address: "h:1"`),
    'nodebalancers[0].configs[0].nodes[0].label',
    'Label should be between 3 and 32 characters.',
  ]),
  [
    node('label: a/b, address: "h:1"'),
    'nodebalancers[0].configs[0].nodes[0].label',
    'Label may only contain letters, numbers, periods, dashes, and underscores.',
  ],
  [node('label: abc'), 'nodebalancers[0].configs[0].nodes[0].address', 'IP address is required.'],
  [
    node('label: abc, address: "192.0.2.1:65536"'),
    'nodebalancers[0].configs[0].nodes[0].address',
    'Port must be between 1 and 65535.',
  ],
  ...['0', '256'].map((value): [string, string, string] => [
    withNodes([], `weight: ${value}`),
    'nodebalancers[0].configs[0].nodes[0].weight',
    'Weight must be between 1 and 255.',
  ]),
];

test.each(CASES)('%j: %s: %s', (text, path, sentence) => {
  expect(errorsOf(text)).toMatchObject([{ path, sentence }]);
  expect(onlyError(text)).toMatch(/ found .+, expected .+\. /);
  expect(onlyError(text).endsWith(`. ${sentence}`)).toBe(true);
});

describe('what they have no sentence for is told in ours alone', () => {
  test.each([
    ['a number that is not whole', withFrontend('check_attempts: 1.5')],
    ['a timeout as long as the interval', withFrontend('check_interval: 10', 'check_timeout: 10')],
    ['an expression that is none', withFrontend('check_body: "("')],
    ['a cookie in protocol tcp', withFrontend('stickiness: http_cookie')],
    [
      'a port that two nodebalancers want',
      'nodebalancers: [{ label: one, configs: [{ port: 1 }] }, { label: two, configs: [{ port: 1 }] }]',
    ],
    ['a key of ours', withFrontend('queue_timeout: 0')],
    ['an address without a port', node('label: abc, address: h')],
  ])('%s', (_name, text) => {
    const errors = errorsOf(text);
    expect(errors).toHaveLength(1);
    expect(errors[0]).not.toHaveProperty('sentence');
  });
});
