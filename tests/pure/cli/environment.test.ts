// The variables that tune the balancer: for each one the values at its limits, those one past them, and what people type by
// mistake. All mistakes are told at once.

import { describe, expect, test } from 'vitest';
import { PREFIX, readEnvironment, VARIABLES, type VariableName } from '../../../cli/environment.ts';
import { formatIp } from '../../../core/base/ip.ts';

const TIMER_MS_MAX = 2 ** 31 - 1;

function read(variables: Record<string, string>) {
  return readEnvironment(Object.fromEntries(Object.entries(variables).map(([name, text]) => [PREFIX + name, text])));
}

const INTEGERS: [key: VariableName, min: number, max: number][] = [
  ['workers', 1, 256],
  ['backlog', 1, 1_000_000],
  ['connectionsMax', 1, 1_000_000],
  ['connectTimeoutMs', 1, TIMER_MS_MAX],
  ['connectRetries', 0, 8],
  ['idleTimeoutMs', 1, TIMER_MS_MAX],
  ['halfClosedTimeoutMs', 1, TIMER_MS_MAX],
  ['lingerTimeoutMs', 1, TIMER_MS_MAX],
  ['drainDelayMs', 0, TIMER_MS_MAX],
  ['drainTimeoutMs', 0, TIMER_MS_MAX],
  ['keepaliveSeconds', 1, 32_767],
  ['bufferBytes', 4096, 4_194_304],
  ['batchFrom', 0, 64],
  ['lowWaterBytes', 0, 2 ** 30],
  ['spliceAfterBytes', 0, 1_073_741_824],
  ['pipeBytes', 65_536, 1_073_741_824],
  ['clientTableEntries', 1000, 10_000_000],
  ['throttleIpv6Prefix', 1, 128],
];

const WORDS: [key: VariableName, good: string[], bad: string[]][] = [
  ['splice', ['auto', 'on', 'off'], ['yes', 'ON', '1', 'auto,on']],
  ['logLevel', ['debug', 'info', 'warn', 'error'], ['warning', 'INFO', '3', 'trace']],
  ['frontCongestion', ['cubic', 'bbr', 'a-b_9', 'x'.repeat(15)], ['x'.repeat(16), 'Cubic', 'a b', 'naïve']],
  ['backCongestion', ['reno'], ['x'.repeat(16), 'reno;']],
  ['accessLog', ['off', '-', '/var/log/balancer.log', 'a b'], []],
  ['adminCertificate', ['/etc/balancer/chain.pem'], ['chain.pem', '-']],
  ['adminKey', ['/etc/balancer/key.pem'], ['./key.pem']],
  ['region', ['local', 'eu-west-2', '1', 'x'.repeat(32)], ['x'.repeat(33), 'EU', '-a', 'a b', 'a_b']],
  ['dataDir', ['/var/lib/balancer', '/', '/a b'], ['balancer', './balancer', '~/balancer', '-']],
];

function nameOf(key: VariableName): string {
  return VARIABLES[key].name;
}

test('every variable has a test of its values', () => {
  const others: VariableName[] = [
    'cpuAffinity',
    'sourceAddresses',
    'pipeTotalBytes',
    'onNodeDown',
    'adminAddress',
    'adminHosts',
    'addresses',
    'floatingAddresses',
  ];
  const tested = [...INTEGERS.map(([key]) => key), ...WORDS.map(([key]) => key), ...others];
  expect(tested.sort()).toEqual(Object.keys(VARIABLES).sort());
});

describe.for(INTEGERS)('%s', ([key, min, max]) => {
  test(`takes ${min} to ${max}`, () => {
    for (const value of [min, max, Math.floor((min + max) / 2)]) {
      expect(read({ [nameOf(key)]: String(value) })).toEqual({ values: { [key]: value }, errors: [], warnings: [] });
    }
  });

  test('takes nothing else, and says what it takes', () => {
    const beyond = [String(max + 1), ...(min > 0 ? [String(min - 1)] : [])];
    for (const text of [...beyond, '-1', '1.5', '1e3', '0x10', '5s', '1_000', '٣', '9'.repeat(30)]) {
      const { values, errors } = read({ [nameOf(key)]: text });
      expect(values).toEqual({});
      const expected = `expected a whole number from ${min} to ${max}`;
      expect(errors).toEqual([`${PREFIX}${nameOf(key)}: found ${JSON.stringify(text)}, ${expected}`]);
    }
  });
});

// A shift would wrap: `1 << 40` is 256 in JavaScript.
describe('pipeTotalBytes', () => {
  test.for(['268435456', '1099511627776'])('takes %s', (text) => {
    expect(read({ PIPE_TOTAL_BYTES: text }).errors).toEqual([]);
  });

  test('takes 0, and no more than 1 TiB', () => {
    expect(read({ PIPE_TOTAL_BYTES: '0' }).values).toEqual({ pipeTotalBytes: 0 });
    expect(read({ PIPE_TOTAL_BYTES: '1099511627777' }).errors).toHaveLength(1);
  });
});

describe.for(WORDS)('%s', ([key, good, bad]) => {
  test('takes what it names, and nothing else', () => {
    for (const text of good)
      expect(read({ [nameOf(key)]: text })).toMatchObject({ values: { [key]: text }, errors: [] });
    for (const text of bad) {
      const { values, errors } = read({ [nameOf(key)]: text });
      expect([values, errors.length]).toEqual([{}, 1]);
      expect(errors[0]).toContain(`found ${JSON.stringify(text)}, expected`);
    }
  });
});

describe('onNodeDown', () => {
  test.for([
    ['keep', undefined],
    ['cut', 0],
    ['cut:0', 0],
    ['cut:30', 30_000],
    ['cut:86400', 86_400_000],
  ] as const)('%s', ([text, cutAfterMs]) => {
    expect(read({ ON_NODE_DOWN: text })).toEqual({ values: { onNodeDown: { cutAfterMs } }, errors: [], warnings: [] });
  });

  test.for(['cut:86401', 'cut:-1', 'cut:1.5', 'cut:', 'cut:5s', 'cut: 5', 'CUT', 'keep:5', 'off', '30'])(
    'not %s',
    (text) => {
      expect(read({ ON_NODE_DOWN: text })).toMatchObject({
        values: {},
        errors: [
          `BALANCER_ON_NODE_DOWN: found "${text}", expected keep, cut, or cut:SECONDS with a whole number from 0 to 86400`,
        ],
      });
    },
  );
});

describe('adminAddress', () => {
  test.for([
    ['0.0.0.0:80', { ip: '0.0.0.0', port: 80 }],
    ['[::1]:65535', { ip: '::1', port: 65535 }],
    ['[2001:DB8:0::1]:8080', { ip: '2001:db8::1', port: 8080 }],
    ['off', 'off'],
  ] as const)('%s', ([text, adminAddress]) => {
    expect(read({ ADMIN_ADDRESS: text })).toEqual({ values: { adminAddress }, errors: [], warnings: [] });
  });

  test.for(['localhost:8080', '8080', ':8080', '127.0.0.1', '127.0.0.1:0', '127.0.0.1:65536', '::1:8080', 'OFF', 'no'])(
    'not %s',
    (text) => {
      expect(read({ ADMIN_ADDRESS: text })).toMatchObject({
        values: {},
        errors: [
          `BALANCER_ADMIN_ADDRESS: found "${text}", expected an IP address and a port, such as 127.0.0.1:8080 or [::1]:8080, or off`,
        ],
      });
    },
  );
});

describe('lists', () => {
  test('names of the API', () => {
    expect(read({ ADMIN_HOSTS: 'Balancer.example,lb-1' }).values).toEqual({ adminHosts: ['balancer.example', 'lb-1'] });
    expect(read({ ADMIN_HOSTS: 'Balancer.example.,lb_1' }).values).toEqual({
      adminHosts: ['balancer.example', 'lb_1'],
    });
    for (const text of ['a b', 'host:8080', 'https://host', '*.example', '-a', 'a,', '.', 'a..']) {
      expect(read({ ADMIN_HOSTS: text }).errors, text).toHaveLength(1);
    }
  });

  test('addresses for new nodebalancers, in their canonical form', () => {
    expect(read({ ADDRESSES: '192.0.2.1, 2001:DB8:0::1' }).values).toEqual({ addresses: ['192.0.2.1', '2001:db8::1'] });
    for (const text of ['192.0.2.1:80', 'host.example', '192.0.2.1,', '192.0.2.0/24']) {
      expect(read({ ADDRESSES: text }).errors, text).toHaveLength(1);
    }
  });

  test('floating addresses, in their canonical form: those of one machine', () => {
    expect(read({ FLOATING_ADDRESSES: '192.0.2.1, 2001:DB8:0::1' }).values).toEqual({
      floatingAddresses: ['192.0.2.1', '2001:db8::1'],
    });
    const nobody = ['0.0.0.0', '::', '224.0.0.1', '255.255.255.255', 'ff02::1'];
    for (const text of ['192.0.2.1:80', 'host.example', '192.0.2.1,', '192.0.2.0/24', 'fe80::1%eth0', ...nobody]) {
      expect(read({ FLOATING_ADDRESSES: text }).errors, text).toHaveLength(1);
    }
  });

  test('CPUs', () => {
    expect(read({ CPU_AFFINITY: '0, 1,1023' }).values).toEqual({ cpuAffinity: [0, 1, 1023] });
    for (const text of ['0-3', '0,,1', '1024', '0,', 'all', '-1', '1.0']) {
      expect(read({ CPU_AFFINITY: text }).errors, text).toHaveLength(1);
    }
  });

  test('source addresses', () => {
    const { sourceAddresses = [] } = read({ SOURCE_ADDRESSES: '192.0.2.1 ,2001:db8::1' }).values;
    expect(sourceAddresses.map((ip) => formatIp(ip, 0))).toEqual(['192.0.2.1', '2001:db8::1']);
    for (const text of ['192.0.2.1:80', '[2001:db8::1]', 'host.example', '192.0.2.1;192.0.2.2', '192.0.2.1,']) {
      expect(read({ SOURCE_ADDRESSES: text }).errors, text).toHaveLength(1);
    }
  });
});

describe('the environment as a whole', () => {
  test('nothing set: nothing said', () => {
    expect(readEnvironment({ PATH: '/bin', WORKERS: '4', balancer_workers: '1' })).toEqual({
      values: {},
      errors: [],
      warnings: [],
    });
  });

  test('all mistakes at once, and the good values beside them', () => {
    const { values, errors, warnings } = read({ WORKERS: '0', SPLICE: 'maybe', BACKLOG: '7', WORKER: '2' });
    expect(values).toEqual({ backlog: 7 });
    expect(errors).toEqual([
      'BALANCER_WORKERS: found "0", expected a whole number from 1 to 256',
      'BALANCER_SPLICE: found "maybe", expected one of auto, on, off',
    ]);
    expect(warnings).toHaveLength(1);
  });

  test('white space around a value is no part of it', () => {
    expect(read({ WORKERS: ' 4\n' }).values).toEqual({ workers: 4 });
  });

  // A compose file that passes on `${WORKERS:-}` sets it so.
  test.for(['', '  '])('an empty value (%j) counts as not set', (text) => {
    expect(read({ WORKERS: text, ACCESS_LOG: text, SPLICE: text })).toEqual({ values: {}, errors: [], warnings: [] });
  });

  test.for([
    ['WORKRES', ', did you mean BALANCER_WORKERS?'],
    ['IDLE_TIMEOUT', ', did you mean BALANCER_IDLE_TIMEOUT_MS?'],
    ['workers', ', did you mean BALANCER_WORKERS?'],
    ['COLOUR', ''],
    ['', ''],
  ] as const)('%j is not a variable: a warning, no error', ([name, hint]) => {
    const { errors, warnings } = read({ [name]: '1' });
    expect(errors).toEqual([]);
    expect(warnings).toEqual([`BALANCER_${name} is not a variable of the balancer${hint}`]);
  });

  test('names that tests use are known', () => {
    expect(read({ TEST_FAULTS: '1', TEST_PACE: 'endMs=9', TEST_INSTALL: '1' }).warnings).toEqual([]);
  });
});

test('every variable is told: a name of its own, what it means, what it takes, what it is by default', () => {
  const variables = Object.values(VARIABLES);
  expect(new Set(variables.map(({ name }) => name)).size).toBe(variables.length);
  for (const { name, meaning, expected, defaultText } of variables) {
    expect(name).toMatch(/^[A-Z]+(_[A-Z][A-Z0-9]*)*$/);
    expect([meaning, expected, defaultText].every((text) => text.length > 0)).toBe(true);
  }
});

test('a default that is a value is one that the variable takes', () => {
  for (const variable of Object.values(VARIABLES)) {
    if (!('default' in variable)) continue;
    const [text = ''] = variable.defaultText.split(';');
    expect(variable.parse(text), variable.name).toEqual(variable.default);
  }
});
