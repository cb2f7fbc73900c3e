// The session code against thousands of seeded worlds: partial reads and writes, resets at any moment, urgent data, refused and
// black-holed connects, descriptors running out, a thread dying in the middle of a call. A failure prints its seed and the
// command that replays it.

import { expect, test } from 'vitest';
import { userTimeoutMs } from '../../core/linux/keepalive.ts';
import type { SocketOption } from '../../core/linux/kernel.ts';
import { decodeHeader } from '../../core/proxy-protocol/decode.ts';
import type { HeaderCheck } from './ledger.ts';
import { addressOf, formatAddress } from './network.ts';
import { describeFailure, type RunOptions, runSeed, runSeeds, type ShardUnderTest, seedRange } from './runner.ts';
import type { Scenario } from './scenario.ts';
import { SimulatedShard } from './shard-binding.ts';
import type { World, WorldOptions } from './world.ts';

const FILE = 'tests/sim/session.test.ts';
const RUNS = 3000;
const KEEPALIVE_SECONDS = 10;

/** What openListeners sets on a listening socket and Linux copies to those accepted from it. */
const LISTENER_OPTIONS: ReadonlyMap<SocketOption, number> = new Map([
  ['oob-inline', 1],
  ['no-delay', 1],
  ['keepalive', 1],
  ['keepalive-idle-s', KEEPALIVE_SECONDS],
  ['keepalive-interval-s', KEEPALIVE_SECONDS],
  ['user-timeout-ms', userTimeoutMs(KEEPALIVE_SECONDS)],
]);

function headerCheck(scenario: Scenario): HeaderCheck | undefined {
  if (scenario.proxyHeader === 'none') return undefined;
  const version = scenario.proxyHeader === 'v1' ? 1 : 2;
  return (received) => {
    const decoded = decodeHeader(received);
    if (decoded.kind === 'incomplete') return { kind: 'more' };
    if (decoded.kind === 'rejected') return { kind: 'wrong', why: decoded.detail };
    if (decoded.version !== version) return { kind: 'wrong', why: `version ${decoded.version}` };
    const { source, headerBytes } = decoded;
    return {
      kind: 'done',
      bytes: headerBytes,
      source: source && formatAddress(addressOf(source.ip, source.port)),
    };
  };
}

const WORLD: WorldOptions = { headerCheck, listenerOptions: LISTENER_OPTIONS, arenaBytes: 1 << 20 };

/** Adds what only this shard can tell to the end of a run. */
function audited(shard: SimulatedShard): ShardUnderTest {
  return {
    turn: () => shard.turn(),
    stop: () => shard.stop(),
    counts: () => shard.counts(),
    close: () => {
      shard.close();
      if (shard.bytesUnaccounted() !== 0) throw new Error(`${shard.bytesUnaccounted()} bytes are not accounted for`);
      if (shard.gauges() !== 0) throw new Error('a gauge is not back at zero');
    },
  };
}

const PLAIN: RunOptions = {
  world: WORLD,
  bind: (world: World, kernel) => audited(new SimulatedShard(world, kernel)),
};

test('every seed: no byte lost, doubled or reordered, every descriptor closed once, counters add up', () => {
  const { first, count } = seedRange(RUNS);
  const { failure, ...sums } = runSeeds(first, count, PLAIN);
  expect(failure && describeFailure(failure, FILE)).toBe(undefined);
  expect(sums.runs).toBe(count);
});

test('a seed is the whole run', () => {
  expect(runSeed(11, PLAIN, 200)).toEqual(runSeed(11, PLAIN, 200));
});
