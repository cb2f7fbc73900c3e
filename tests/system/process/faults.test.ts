// What a fault inside the process costs, with sessions streaming over both shards: a throw within a step costs that one session;
// a shard that throws, runs out of memory or hangs is replaced, and its successor goes on with every session to the byte; a throw
// in the main thread, or too many deaths, end the process soon and leave nothing behind.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { type Balancer, onePort, paced, startBalancer } from '../../../testing/balancer.ts';
import type { Peer } from '../../../testing/peer.ts';
import { accepts, freePort, LOOPBACK_IPV4 } from '../../../testing/ports.ts';
import { eventually, stateOf } from '../../../testing/process.ts';
import { PACE } from '../../../workers/pace.ts';
import { runBinary } from './binary.ts';
import { EchoNode, EchoStream, quietClients } from './echo.ts';
import { askOnce } from './short-connections.ts';

const SHARDS = 2;
const TALKING = 32;
const BULK = 8;
const FAULTS_ON = { BALANCER_TEST_FAULTS: '1' };
/** Longer than any test waits: what ends before it has not waited for it. */
const NEVER_MS = 600_000;

let node: EchoNode;
let balancer: Balancer;
let port: number;
let streams: EchoStream[] = [];

afterEach(async () => {
  for (const stream of streams) stream.destroy();
  streams = [];
  await balancer?.stop();
  await node?.close();
});

async function open(env: Readonly<Record<string, string>> = FAULTS_ON): Promise<void> {
  node = await EchoNode.listen();
  port = await freePort();
  balancer = await startBalancer(onePort({ port, nodes: [{ label: 'echo', address: node.address }] }), {
    env: { BALANCER_WORKERS: String(SHARDS), BALANCER_DRAIN_TIMEOUT_MS: '0', BALANCER_ACCESS_LOG: '-', ...env },
  });
}

/** Conversations and bulk transfers; by their number, some on each shard. */
async function stream(): Promise<void> {
  const options = (i: number) => (i < TALKING ? { window: 1000 + i, paceMs: 5 } : { window: 1 << 20 });
  streams = await Promise.all(Array.from({ length: TALKING + BULK }, (_, i) => EchoStream.open(port, i, options(i))));
  await allMove();
  await Promise.all(streams.slice(TALKING).map((bulk) => bulk.moves(4 << 20)));
}

function allMove(among: readonly EchoStream[] = streams): Promise<unknown> {
  return Promise.all(among.map((one) => one.moves(5000)));
}

/** @returns the sessions that were lost, as the clients saw it */
async function finishAll(): Promise<string[]> {
  const problems = await Promise.all(streams.map((one) => one.finish()));
  streams = [];
  return problems.filter((problem) => problem !== undefined);
}

/** New connections until both shards have taken some: with SO_REUSEPORT the kernel spreads them by chance. */
async function bothShardsServe(): Promise<void> {
  const seen = balancer.program.stdout.length;
  await Promise.all(Array.from({ length: 40 }, (_, i) => askOnce(port, `after ${i}`)));
  for (let shard = 0; shard < SHARDS; shard++) {
    await eventually(`an ended session of shard ${shard}`, () =>
      balancer.program.stdout.slice(seen).includes(`"shard":${shard},`),
    );
  }
}

/** Ended sessions that the balancer itself cut, by its access log. */
function cutByBalancer(): number {
  return balancer.program.stdout.match(/"outcome":"P/g)?.length ?? 0;
}

function inject(order: string): void {
  balancer.program.write(`${order}\n`);
}

async function diesAndServes(order: string): Promise<void> {
  const from = balancer.program.stderr.length;
  inject(order);
  const said = () => balancer.program.stderr.slice(from);
  await balancer.program.waitUntil(`a successor after "${order}"`, () => /shard \d serves again/.test(said()));
}

describe('in mid-traffic', () => {
  test('a throw within a step costs that session and no other; its shard lives on', async () => {
    await open();
    await stream();
    for (let shard = 0; shard < SHARDS; shard++) {
      inject(`${shard} throw-in-step`);
      await eventually('the victim', () => cutByBalancer() === shard + 1);
    }
    await allMove(streams.filter(({ problem }) => problem === undefined));
    const lost = await finishAll();
    expect(lost).toHaveLength(SHARDS);
    expect(balancer.program.stderr).not.toMatch(/died/);
    expect(balancer.program.stderr.match(/a session was ended by an internal error/g)).toHaveLength(SHARDS);
    await bothShardsServe();
  });

  for (const [fault, lossMax] of [
    ['throw', 0],
    ['block', 1],
    ['out-of-memory', 1],
  ] as const) {
    test(`${fault}: a successor goes on with every session but at most ${lossMax} per shard`, async () => {
      await open();
      await bothShardsServe();
      const quiet = balancer.descriptors();
      await stream();
      for (let shard = 0; shard < SHARDS; shard++) await diesAndServes(`${shard} ${fault}`);
      await allMove(streams.filter(({ problem }) => problem === undefined));
      await Promise.all(streams.slice(TALKING).map((bulk) => bulk.moves(2 << 20)));
      const lost = await finishAll();
      expect(lost.length, lost.join('\n')).toBeLessThanOrEqual(lossMax * SHARDS);
      expect(lost.filter((problem) => problem.includes('wrong byte'))).toEqual([]);
      await eventually('the log of those that were lost', () => cutByBalancer() === lost.length);
      await bothShardsServe();
      // Pipes may stay pooled: two descriptors for each direction of each bulk transfer.
      await eventually('descriptors to go back', () => balancer.descriptors() <= quiet + 4 * BULK);
      expect(node.sockets.size).toBe(0);
    });
  }

  test('a session under way survives two successors in a row on the same shard', async () => {
    await open();
    await stream();
    await diesAndServes('0 throw');
    await allMove();
    await diesAndServes('0 throw');
    await allMove();
    expect(await finishAll()).toEqual([]);
    await bothShardsServe();
  });

  test('the process suspended for longer than a shard may hang: nobody is taken for stuck', async () => {
    await open({ ...paced({ watchMs: 50 }), BALANCER_LOG_LEVEL: 'debug' });
    await stream();
    process.kill(balancer.pid, 'SIGSTOP');
    try {
      await eventually('the process to be suspended', () => stateOf(balancer.pid) === 'T');
      const sinceMs = performance.now();
      await eventually('it to be so for long enough', () => performance.now() - sinceMs > PACE.heartbeatMs);
    } finally {
      process.kill(balancer.pid, 'SIGCONT');
    }
    const [, awayMs] = await balancer.program.waitForOutput(/the watchdog was away for (\d{4,}) ms/);
    expect(Number(awayMs)).toBeGreaterThanOrEqual(PACE.heartbeatMs);
    await allMove();
    // Often enough to have judged by a heartbeat from before.
    const enough = (await watchRounds()) + 5;
    await balancer.program.waitUntil('more rounds of the watchdog', async () => (await watchRounds()) >= enough);
    expect(await finishAll()).toEqual([]);
    expect(balancer.program.stderr).not.toMatch(/died|stuck/);
  });
});

/**
 * Nobody, client or node, took the end of these sessions for an orderly one.
 * @param before FINs that the node had seen already
 */
async function allReset(quiet: readonly Peer[], before: number): Promise<void> {
  expect(await Promise.all(quiet.map((client) => client.recvEnd()))).toEqual(quiet.map(() => 'rst'));
  await eventually('the node to hear of it', () => node.sockets.size === 0);
  expect(node.fins).toBe(before);
}

/** How often the watchdog has looked at the shards, by its own count. */
async function watchRounds(): Promise<number> {
  const answers = () => [...balancer.program.stderr.matchAll(/the watchdog has come round (\d+) times/g)];
  const before = answers().length;
  inject('main rounds');
  await balancer.program.waitUntil('the number of rounds', () => answers().length > before);
  return Number(answers().at(-1)?.[1]);
}

// How long it takes: tests/clock/process/ends.test.ts.
test('a throw in the main thread ends the process, exit 1: shards close what they hold, nothing stays behind', async () => {
  await open(paced({ stopMs: NEVER_MS, endMs: NEVER_MS }));
  await stream();
  const quiet = await quietClients(port, 8);
  const { pid } = balancer;
  inject('main throw');
  expect(await balancer.program.waitForExit()).toEqual({ code: 1, signal: null });
  expect(existsSync(`/proc/${pid}`)).toBe(false);
  expect(processesOfGroup(pid)).toEqual([]);
  expect(await accepts(LOOPBACK_IPV4, port)).toBe(false);
  expect(balancer.program.stderr).toMatch(/fatal: .*fault injected: throw in the main thread/);
  await allReset(quiet, 0);
});

/** Of the conversations some go on, and some do not move at all. */
async function oneShardHangs(): Promise<void> {
  const talking = streams.slice(0, TALKING);
  let seen = talking.map(({ received }) => received);
  await eventually('a shard to hang', () => {
    const moved = talking.map(({ received }, i) => received - (seen[i] ?? 0));
    if (Math.max(...moved) < 50_000) return false;
    seen = talking.map(({ received }) => received);
    return Math.min(...moved) === 0;
  });
}

test('and by force where a shard hangs: nobody waits for it, and no session looks complete', async () => {
  await open(paced({ heartbeatMs: NEVER_MS, stopMs: NEVER_MS, endMs: 100 }));
  await stream();
  inject('0 block');
  await oneShardHangs();
  inject('main throw');
  expect(await balancer.program.waitForExit()).toEqual({ code: 1, signal: null });
  expect(balancer.program.stderr).toMatch(/fatal: .*fault injected: throw in the main thread/);
  expect(await accepts(LOOPBACK_IPV4, port)).toBe(false);
});

test('five deaths within a minute end the process with exit 1, and no session looks complete', async () => {
  await open();
  // On both shards, with all but certainty: also on the one that has nobody to end them.
  const quiet = await quietClients(port, 16);
  for (let death = 1; death <= 4; death++) {
    await diesAndServes(`${death % SHARDS} throw`);
    await askOnce(port, `after death ${death}`);
  }
  const before = node.fins;
  inject('0 throw');
  expect(await balancer.program.waitForExit()).toEqual({ code: 1, signal: null });
  expect(balancer.program.stderr).toMatch(/fatal: 5 shards died within 60 s/);
  await allReset(quiet, before);
});

test('a shard that hangs when the process is told to end has nobody to end its sessions: they do not look complete', async () => {
  await open();
  const quiet = await quietClients(port, 16);
  for (let shard = 0; shard < SHARDS; shard++) inject(`${shard} block`);
  // Each hangs at the next step of a session.
  const talking = setInterval(() => {
    for (const { socket } of quiet) socket.write('?');
  }, 5);
  try {
    const echoed = () => quiet.reduce((sum, { bytesReceived }) => sum + bytesReceived, 0);
    let [seen, since] = [echoed(), performance.now()];
    await eventually('nobody to be answered any more', () => {
      if (echoed() !== seen) [seen, since] = [echoed(), performance.now()];
      return performance.now() > since + 300;
    });
  } finally {
    clearInterval(talking);
  }
  balancer.signal('SIGTERM');
  balancer.signal('SIGINT');
  await balancer.program.waitForExit(10_000);
  await allReset(quiet, 0);
});

test('without BALANCER_TEST_FAULTS nothing on stdin is heard', async () => {
  await open({});
  await stream();
  for (const order of ['0 throw', '1 block', '0 out-of-memory', 'main throw']) inject(order);
  balancer.program.closeInput();
  await allMove();
  await bothShardsServe();
  expect(await finishAll()).toEqual([]);
  expect(balancer.program.stderr).not.toMatch(/fault|died/);
});

test('other times than its own are refused unless faults are allowed, and named where they are wrong', async () => {
  const alone = await runBinary(['run'], { env: { BALANCER_TEST_PACE: 'backlogMs=100' } });
  expect(alone).toMatchObject({ code: 2, stdout: '' });
  expect(alone.lines).toEqual([expect.stringMatching(/^BALANCER_TEST_PACE: .* together with BALANCER_TEST_FAULTS=1$/)]);
  const wrong = await runBinary(['run'], { env: paced({ backlog: 100 }) });
  expect(wrong.code).toBe(2);
  expect(wrong.lines).toEqual([expect.stringMatching(/^BALANCER_TEST_PACE: found "backlog=100", expected NAME=/)]);
});

/** Each program leads a group of its own. */
function processesOfGroup(group: number): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const [, parent = '', groupText = ''] =
          readFileSync(`/proc/${pid}/stat`, 'utf8').match(/\) \S (\d+) (\d+)/) ?? [];
        return parent !== '' && Number(groupText) === group;
      } catch {
        return false;
      }
    });
}
