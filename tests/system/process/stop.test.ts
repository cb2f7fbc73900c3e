// What signals do: TERM and INT drain (no new connections, running sessions go on, exit 0 when the last has ended or the deadline
// has passed, and who waits in the backlog is still served), a second one is in a hurry, USR1 opens the access log anew, USR2 is
// answered and changes nothing. Ends at once are those that come before deadlines which a test would not
// live to see; how long they take is bounded in tests/clock/process/ends.test.ts.

import { existsSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Balancer, onePort, paced, startBalancer } from '../../../testing/balancer.ts';
import { Peer } from '../../../testing/peer.ts';
import { accepts, freePort, LOOPBACK_IPV4 } from '../../../testing/ports.ts';
import { eventually } from '../../../testing/process.ts';
import { listens, tcpSocketsOf } from '../../../testing/sockets.ts';
import { makeTemporaryDirectory } from '../../../testing/temporary.ts';
import { EchoNode, EchoStream, quietClients } from './echo.ts';
import { askOnce } from './short-connections.ts';

const ENDED_WELL = { code: 0, signal: null };
/** Longer than any test waits: what ends before it has not waited for it. */
const NEVER_MS = 600_000;
const DRAIN_TIMEOUT_MS = 600;

let node: EchoNode;
let balancer: Balancer;
let port: number;
let streams: EchoStream[] = [];

beforeEach(async () => {
  node = await EchoNode.listen();
  port = await freePort();
});

afterEach(async () => {
  for (const stream of streams) stream.destroy();
  streams = [];
  await balancer?.stop();
  await node.close();
});

async function open(env: Readonly<Record<string, string>> = {}): Promise<void> {
  balancer = await startBalancer(onePort({ port, nodes: [{ label: 'echo', address: node.address }] }), {
    env: {
      BALANCER_WORKERS: '2',
      BALANCER_DRAIN_TIMEOUT_MS: String(NEVER_MS),
      ...paced({ stopMs: NEVER_MS, endMs: NEVER_MS }),
      ...env,
    },
  });
}

async function stream(count = 4): Promise<void> {
  const options = (i: number) => (i === 0 ? { window: 1 << 20 } : { window: 2000, paceMs: 2 });
  streams = await Promise.all(Array.from({ length: count }, (_, i) => EchoStream.open(port, i, options(i))));
  await Promise.all(streams.map((one) => one.moves(10_000)));
}

function stopsListening(): Promise<void> {
  return eventually('nobody to listen any more', () => !listens(balancer.pid, port));
}

/** Nobody, client or node, took the end of these sessions and of the streams for an orderly one. */
async function allReset(quiet: readonly Peer[]): Promise<void> {
  expect(await Promise.all(quiet.map((client) => client.recvEnd()))).toEqual(quiet.map(() => 'rst'));
  await eventually('the streams to end', () => streams.every(({ problem }) => problem !== undefined));
  expect(streams.map(({ problem }) => problem).filter((problem) => problem?.startsWith('FIN'))).toEqual([]);
  await eventually('the node to hear of it', () => node.sockets.size === 0);
  expect(node.fins).toBe(0);
}

/** Clients that the kernel has accepted and the balancer has not: it is suspended meanwhile. */
async function backlog(count: number, whileSuspended: () => void): Promise<Peer[]> {
  process.kill(balancer.pid, 'SIGSTOP');
  try {
    const clients = await Promise.all(Array.from({ length: count }, () => Peer.connect({ host: LOOPBACK_IPV4, port })));
    await Promise.all(clients.map((client, i) => client.send(`waiting ${i}`)));
    whileSuspended();
    return clients;
  } finally {
    process.kill(balancer.pid, 'SIGCONT');
  }
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  describe(signal, () => {
    test('accepts nobody new, lets running sessions end, and then exits 0 at once', async () => {
      await open();
      await stream();
      balancer.signal(signal);
      await stopsListening();
      expect(await accepts(LOOPBACK_IPV4, port)).toBe(false);
      await Promise.all(streams.map((one) => one.moves(50_000)));
      expect(balancer.program.exited).toBeUndefined();
      const problems = await Promise.all(streams.map((one) => one.finish()));
      expect(problems.every((problem) => problem === undefined)).toBe(true);
      expect(await balancer.program.waitForExit()).toEqual(ENDED_WELL);
      expect(balancer.program.stderr).toMatch(/all sessions have ended/);
    });

    test('without sessions it exits 0 at once', async () => {
      await open();
      await askOnce(port, 'one');
      balancer.signal(signal);
      expect(await balancer.program.waitForExit()).toEqual(ENDED_WELL);
    });

    test('cuts what is left at the deadline, all of it by a reset, and exits 0', async () => {
      await open({ BALANCER_DRAIN_TIMEOUT_MS: String(DRAIN_TIMEOUT_MS), BALANCER_ACCESS_LOG: '-' });
      await stream();
      const quiet = await quietClients(port, 4);
      const since = performance.now();
      balancer.signal(signal);
      expect(await balancer.program.waitForExit()).toEqual(ENDED_WELL);
      expect(performance.now() - since).toBeGreaterThanOrEqual(DRAIN_TIMEOUT_MS);
      await eventually('all to be cut', () => streams.every(({ problem }) => problem !== undefined));
      await allReset(quiet);
      expect(balancer.program.stderr).toMatch(/drain deadline has passed: 8 sessions cut/);
      expect(balancer.program.stdout.match(/"outcome":"KD"/g)).toHaveLength(8);
    });

    for (const second of ['SIGTERM', 'SIGINT'] as const) {
      test(`and then ${second}: the end at once, by resets, exit 0`, async () => {
        await open();
        await stream();
        const quiet = await quietClients(port, 4);
        balancer.signal(signal);
        await stopsListening();
        balancer.signal(second);
        expect(await balancer.program.waitForExit()).toEqual(ENDED_WELL);
        await allReset(quiet);
      });
    }
  });
}

test('clients that wait in the backlog when TERM comes are served, not reset', async () => {
  await open();
  const clients = await backlog(50, () => balancer.signal('SIGTERM'));
  await Promise.all(
    clients.map(async (client, i) => {
      await client.fin();
      expect((await client.recvAll()).toString()).toBe(`waiting ${i}`);
      client.destroy();
    }),
  );
  expect(await balancer.program.waitForExit()).toEqual(ENDED_WELL);
});

test('a drain delay keeps the port open until it has passed', async () => {
  await open({ BALANCER_DRAIN_DELAY_MS: '500' });
  const since = performance.now();
  balancer.signal('SIGTERM');
  await balancer.program.waitForOutput(/SIGTERM: draining/);
  const isServed = () =>
    askOnce(port, 'still open').then(
      () => true,
      () => false,
    );
  await eventually('nobody to be served any more', async () => !(await isServed()));
  expect(performance.now() - since).toBeGreaterThanOrEqual(500);
  expect(await balancer.program.waitForExit()).toEqual(ENDED_WELL);
});

test('HUP during the drain does not open the port again', async () => {
  await open();
  await stream(1);
  balancer.signal('SIGTERM');
  await stopsListening();
  balancer.signal('SIGHUP');
  await streams[0]?.moves(5_000_000);
  expect(await accepts(LOOPBACK_IPV4, port)).toBe(false);
  expect(await streams[0]?.finish()).toBeUndefined();
  expect(await balancer.program.waitForExit()).toEqual(ENDED_WELL);
});

test('USR1 goes on in a new access log when the old one was moved, loses no line, and opens no inspector', async () => {
  const directory = makeTemporaryDirectory('log');
  const log = join(directory, 'access.log');
  await open({ BALANCER_ACCESS_LOG: log });
  const linesOf = (file: string) => (existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0);
  const rotations = 3;
  for (let i = 0; i < rotations; i++) {
    for (let n = 0; n < 10; n++) await askOnce(port, `${n}`);
    renameSync(log, `${log}.${i}`);
    const from = balancer.program.output.length;
    balancer.signal('SIGUSR1');
    await balancer.program.waitForOutput(/SIGUSR1: access log opened anew/, undefined, from);
    await eventually('the new file', () => existsSync(log));
  }
  await askOnce(port, 'last');
  await eventually('the line of the last', () => linesOf(log) > 0);
  const files = [log, ...Array.from({ length: rotations }, (_, i) => `${log}.${i}`)];
  await eventually('all lines', () => files.reduce((sum, file) => sum + linesOf(file), 0) === 10 * rotations + 1);
  for (const file of files) {
    // What the writer had not written when the file was moved is in the next one, and this one may be empty.
    const lines = readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '');
    for (const line of lines) expect(JSON.parse(line).outcome).toBe('--');
  }
  expect(balancer.program.output).not.toMatch(/Debugger|inspector/i);
  const listening = tcpSocketsOf(balancer.pid).filter((socket) => socket.listening);
  expect(new Set(listening.map(({ local }) => local.port))).toEqual(new Set([port]));
});

test('USR2 is answered with a line and changes nothing', async () => {
  // A stream that begins to be spliced meanwhile would open pipes.
  await open({ BALANCER_SPLICE: 'off' });
  await stream();
  const before = balancer.descriptors();
  balancer.signal('SIGUSR2');
  await balancer.program.waitForOutput(/SIGUSR2: .*nothing changes/);
  await Promise.all(streams.map((one) => one.moves(10_000)));
  await askOnce(port, 'new one');
  await eventually('the same descriptors', () => balancer.descriptors() <= before);
  for (const one of streams) expect(await one.finish()).toBeUndefined();
});
