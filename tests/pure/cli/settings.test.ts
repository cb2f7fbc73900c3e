// From the environment and the machine to settings: defaults as documented, the machine's limits respected, and a word about what
// could not be taken as it was given.

import { availableParallelism, homedir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type Environment, VARIABLES } from '../../../cli/environment.ts';
import {
  apiConnectionsOf,
  checkDescriptorsOf,
  defaultDataDir,
  type ProcessSettings,
  processSettings,
} from '../../../cli/settings.ts';
import { LOCAL_CONNECTIONS_MAX, STATUS_CLIENTS_MAX } from '../../../control/local-limits.ts';
import { pipeBytesAllowed, raiseDescriptorLimit, somaxconn } from '../../../core/linux/process.ts';
import { SOURCE_ADDRESSES_MAX } from '../../../core/session/limits.ts';
import { ipOf } from '../../../testing/loopback.ts';
import { PACE } from '../../../workers/pace.ts';

const MIB = 1 << 20;

function settingsOf(env: Environment = {}, addresses = 1): ProcessSettings {
  return processSettings(env, addresses);
}

describe('nothing set', () => {
  test('every default that `balancer env` tells is the one in force', () => {
    const { supervisor, drainDelayMs, drainTimeoutMs, logLevel, warnings } = settingsOf();
    const { settings, listeners } = supervisor;
    const inForce = { ...settings, drainDelayMs, drainTimeoutMs, logLevel };
    const told = [
      'connectTimeoutMs',
      'connectRetries',
      'idleTimeoutMs',
      'halfClosedTimeoutMs',
      'lingerTimeoutMs',
      'drainDelayMs',
      'drainTimeoutMs',
      'keepaliveSeconds',
      'bufferBytes',
      'batchFrom',
      'splice',
      'spliceAfterBytes',
      'pipeBytes',
      'clientTableEntries',
      'throttleIpv6Prefix',
      'logLevel',
    ] as const;
    for (const key of told) expect(String(inForce[key]), key).toBe(VARIABLES[key].defaultText);
    expect(listeners.keepaliveSeconds).toBe(settings.keepaliveSeconds);
    expect(listeners.backlog).toBe(Math.min(Number(VARIABLES.backlog.defaultText), somaxconn()));
    expect([supervisor.accessLog, settings.logSessions, listeners.congestion]).toEqual([undefined, false, undefined]);
    expect(VARIABLES.onNodeDown.parse(VARIABLES.onNodeDown.defaultText)).toEqual({ cutAfterMs: supervisor.cutAfterMs });
    expect([settings.backCongestion, settings.sourceAddresses, supervisor.cpus]).toEqual(['', [], []]);
    expect(warnings).toEqual([]);
  });

  test('one shard per CPU, and the same number everywhere', () => {
    const { supervisor } = settingsOf();
    expect([supervisor.shards, supervisor.listeners.shards]).toEqual([availableParallelism(), availableParallelism()]);
    expect(settingsOf({ workers: 3 }).supervisor).toMatchObject({ shards: 3, listeners: { shards: 3 } });
  });
});

test('what is set is what is in force', () => {
  const { supervisor, ...rest } = processSettings(
    {
      workers: 2,
      cpuAffinity: [1, 0],
      backlog: 9,
      connectionsMax: 10,
      connectTimeoutMs: 11,
      connectRetries: 0,
      idleTimeoutMs: 12,
      halfClosedTimeoutMs: 13,
      lingerTimeoutMs: 14,
      drainDelayMs: 15,
      drainTimeoutMs: 0,
      keepaliveSeconds: 16,
      bufferBytes: 4096,
      batchFrom: 5,
      splice: 'on',
      spliceAfterBytes: 0,
      lowWaterBytes: 7,
      pipeBytes: 65536,
      pipeTotalBytes: 4 * 65536,
      frontCongestion: 'cubic',
      backCongestion: 'reno',
      sourceAddresses: [ipOf('192.0.2.1')],
      onNodeDown: { cutAfterMs: 5000 },
      clientTableEntries: 1000,
      throttleIpv6Prefix: 56,
      dataDir: '/srv/balancer',
      accessLog: '-',
      logLevel: 'debug',
    },
    1,
    { allowFaults: true, pace: { ...PACE, backlogMs: 17 } },
  );
  expect(rest).toEqual({
    dataDir: '/srv/balancer',
    drainDelayMs: 15,
    drainTimeoutMs: 0,
    logLevel: 'debug',
    warnings: [],
  });
  expect(supervisor).toMatchObject({
    shards: 2,
    cpus: [1, 0],
    allowFaults: true,
    pace: { ...PACE, backlogMs: 17 },
    accessLog: '-',
    cutAfterMs: 5000,
    listeners: { shards: 2, backlog: 9, keepaliveSeconds: 16, congestion: 'cubic' },
    settings: {
      connectionsMax: 10,
      connectTimeoutMs: 11,
      connectRetries: 0,
      idleTimeoutMs: 12,
      halfClosedTimeoutMs: 13,
      lingerTimeoutMs: 14,
      keepaliveSeconds: 16,
      bufferBytes: 4096,
      batchFrom: 5,
      splice: 'on',
      spliceAfterBytes: 0,
      lowWaterBytes: 7,
      lowWaterAfterBytes: 7 * 64,
      pipeBytes: 65536,
      pipes: 2,
      backCongestion: 'reno',
      sourceAddresses: [ipOf('192.0.2.1')],
      clientTableEntries: 1000,
      throttleIpv6Prefix: 56,
      logSessions: true,
    },
  });
});

describe('the directory of the status socket', () => {
  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
  });

  const asUser = (uid: number, stateHome: string) => {
    vi.spyOn(process, 'getuid').mockReturnValue(uid);
    vi.stubEnv('XDG_STATE_HOME', stateHome);
  };

  test.for([
    [0, '', '/var/lib/balancer'],
    [0, '/state', '/var/lib/balancer'],
    [1000, '', join(homedir(), '.local/state/balancer')],
    [1000, '/state', '/state/balancer'],
    [1000, 'state', join(homedir(), '.local/state/balancer')],
  ] as const)('of user %d with XDG_STATE_HOME=%s is %s', ([uid, stateHome, directory]) => {
    asUser(uid, stateHome);
    expect(defaultDataDir()).toBe(directory);
    expect(settingsOf().dataDir).toBe(directory);
  });

  test('is the one given, whoever the user is', () => {
    asUser(1000, '/state');
    expect(settingsOf({ dataDir: '/srv/balancer' }).dataDir).toBe('/srv/balancer');
  });
});

test('an access log that is off is none', () => {
  const { supervisor } = settingsOf({ accessLog: 'off' });
  expect([supervisor.accessLog, supervisor.settings.logSessions]).toEqual([undefined, false]);
});

test('floating addresses reach the listeners', () => {
  expect(settingsOf({ floatingAddresses: ['192.0.2.1'] }).supervisor.listeners.floating).toEqual(
    new Set(['192.0.2.1']),
  );
  expect(settingsOf().supervisor.listeners.floating).toEqual(new Set());
});

describe('pipes', () => {
  const pipesOf = (env: Environment) => settingsOf(env).supervisor.settings.pipes;

  test('are shared out to the shards, whole ones', () => {
    const allowed = Math.min(64 * MIB, pipeBytesAllowed() / 2);
    const total = { pipeTotalBytes: 64 * MIB, pipeBytes: MIB };
    expect(pipesOf({ ...total, workers: 1 })).toBe(Math.floor(allowed / MIB));
    expect(pipesOf({ ...total, workers: 3 })).toBe(Math.floor(allowed / MIB / 3));
    expect(pipesOf({ ...total, workers: 100 })).toBe(0);
  });

  test('without splice there are none', () => {
    expect(pipesOf({ splice: 'off' })).toBe(0);
    expect(pipesOf({ pipeTotalBytes: 0 })).toBe(0);
  });
});

describe('sessions', () => {
  const descriptors = raiseDescriptorLimit();
  const forControl = apiConnectionsOf(descriptors) + LOCAL_CONNECTIONS_MAX + STATUS_CLIENTS_MAX;
  const reserved = 256 + checkDescriptorsOf(descriptors) + forControl;
  const possible = (env: Environment, addresses: number) => {
    const { supervisor } = settingsOf(env, addresses);
    return { max: supervisor.settings.connectionsMax, pipes: supervisor.settings.pipes };
  };

  test('as many as descriptors are left for: two each, after 256, those for checks and the API, the listeners and the pipes', () => {
    const { max, pipes } = possible({ workers: 4, pipeBytes: 65536, pipeTotalBytes: 16 * 65536 }, 5);
    expect(pipes).toBe(4);
    expect(max).toBe(Math.floor((descriptors - reserved - 5 * 4 - 2 * 4 * 4) / 2));
  });

  // A sixteenth; 128, or the eighth where that is less; and one for each node that is possible, with 28 farewells.
  test.each([
    [1, 0],
    [300, 37],
    [1024, 128],
    [2048, 128],
    [2064, 129],
    [20_000, 1250],
    [65_983, 4123],
    [65_984, 4124],
    [1_048_576, 4124],
  ])('of %d descriptors %d are for checks', (all, checks) => {
    expect(checkDescriptorsOf(all)).toBe(checks);
  });

  // A sixteenth; 16 at least, and no more than one machine needs.
  test.each([
    [100, 16],
    [300, 18],
    [1024, 64],
    [15_999, 999],
    [16_000, 1000],
    [1_048_576, 1000],
  ])('of %d descriptors %d are for connections to the API', (all, connections) => {
    expect(apiConnectionsOf(all)).toBe(connections);
  });

  test('without an API there are none for it', () => {
    const { max } = possible({ adminAddress: 'off', workers: 1, splice: 'off' }, 1);
    expect(max).toBe(Math.floor((descriptors - reserved + forControl - STATUS_CLIENTS_MAX - 1) / 2));
  });

  test('those for checks are told to whoever checks', () => {
    expect(settingsOf().supervisor.checkDescriptors).toBe(checkDescriptorsOf(descriptors));
  });

  test('no more than asked for; more than possible is cut, and said', () => {
    const env = { workers: 1, splice: 'off' } as const;
    const most = Math.floor((descriptors - reserved - 1) / 2);
    for (const connectionsMax of [1, most]) {
      const { supervisor, warnings } = settingsOf({ ...env, connectionsMax });
      expect([supervisor.settings.connectionsMax, warnings]).toEqual([connectionsMax, []]);
    }
    const { supervisor, warnings } = settingsOf({ ...env, connectionsMax: most + 1 });
    expect(supervisor.settings.connectionsMax).toBe(most);
    expect(warnings).toEqual([
      `BALANCER_MAX_CONNECTIONS is ${most + 1}, but ${descriptors} open files allow ${most} sessions: using ${most}`,
    ]);
  });

  test('at least one, however little there is', () => {
    expect(possible({ workers: 256 }, 1_000_000).max).toBe(1);
  });
});

test('a backlog above somaxconn is cut, and said', () => {
  const max = somaxconn();
  const { supervisor, warnings } = settingsOf({ backlog: max + 1 });
  expect(supervisor.listeners.backlog).toBe(max);
  expect(warnings).toEqual([`BALANCER_BACKLOG is ${max + 1}, but net.core.somaxconn allows ${max}: using ${max}`]);
  expect(settingsOf({ backlog: max }).warnings).toEqual([]);
});

describe('source addresses', () => {
  const addresses = (count: number) => Array.from({ length: count }, (_, i) => ipOf(`192.0.2.${i}`));

  test('as many as there is room for', () => {
    const { supervisor, warnings } = settingsOf({ sourceAddresses: addresses(SOURCE_ADDRESSES_MAX) });
    expect([supervisor.settings.sourceAddresses.length, warnings]).toEqual([SOURCE_ADDRESSES_MAX, []]);
    const more = settingsOf({ sourceAddresses: addresses(SOURCE_ADDRESSES_MAX + 1) });
    expect(more.supervisor.settings.sourceAddresses).toEqual(addresses(SOURCE_ADDRESSES_MAX));
  });

  //
  test('too many of them are said', () => {
    expect(settingsOf({ sourceAddresses: addresses(SOURCE_ADDRESSES_MAX + 1) }).warnings).toHaveLength(1);
  });
});
