// How long the process takes to end, by its own constants and on a machine that lets it: at once without
// sessions, soon after the drain's deadline or a second signal, within three seconds when something is
// wrong or nobody reads its log. In which order all that happens: tests/system/process.

import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Balancer, onePort, startBalancer } from '../../../testing/balancer.ts';
import { freePort } from '../../../testing/ports.ts';
import type { Exit } from '../../../testing/process.ts';
import { makeTemporaryDirectory } from '../../../testing/temporary.ts';
import { type Measured, measure, takesAtMost } from '../../../testing/yardstick.ts';
import { EchoNode, EchoStream } from '../../system/process/echo.ts';
import { askOnce } from '../../system/process/short-connections.ts';

const ENDED_WELL: Exit = { code: 0, signal: null };
const DRAIN_TIMEOUT_MS = 600;

let node: EchoNode;
let port: number;
const closers: (() => unknown)[] = [];

beforeEach(async () => {
  node = await EchoNode.listen();
  port = await freePort();
});

afterEach(async () => {
  await closeAll();
  await node.close();
});

async function closeAll(): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close();
}

async function open(env: Readonly<Record<string, string>> = {}): Promise<Balancer> {
  await closeAll();
  const balancer = await startBalancer(onePort({ port, nodes: [{ label: 'echo', address: node.address }] }), {
    env: { BALANCER_WORKERS: '2', BALANCER_DRAIN_TIMEOUT_MS: '30000', ...env },
  });
  closers.push(() => balancer.stop());
  return balancer;
}

async function stream(): Promise<EchoStream[]> {
  const streams = await Promise.all([0, 1, 2, 3].map((i) => EchoStream.open(port, i, { window: 2000, paceMs: 2 })));
  for (const one of streams) closers.push(() => one.destroy());
  await Promise.all(streams.map((one) => one.moves(10_000)));
  return streams;
}

/** From what is done to it until it has ended, in that way. */
function untilEnd({ pid, program }: Balancer, exit: Exit, action: () => void): Promise<Measured> {
  return measure([pid], async () => {
    action();
    expect(await program.waitForExit()).toEqual(exit);
  });
}

test('without sessions', () =>
  takesAtMost(1500, async () => {
    const balancer = await open();
    await askOnce(port, 'one');
    return untilEnd(balancer, ENDED_WELL, () => balancer.signal('SIGTERM'));
  }));

test('after the last session of a drain', () =>
  takesAtMost(1500, async () => {
    const balancer = await open();
    const streams = await stream();
    balancer.signal('SIGTERM');
    await balancer.program.waitForOutput(/SIGTERM: draining/);
    const problems = await Promise.all(streams.map((one) => one.finish()));
    expect(problems.every((problem) => problem === undefined)).toBe(true);
    return untilEnd(balancer, ENDED_WELL, () => {});
  }));

test('at the drain’s deadline', () =>
  takesAtMost(DRAIN_TIMEOUT_MS + 2000, async () => {
    const balancer = await open({ BALANCER_DRAIN_TIMEOUT_MS: String(DRAIN_TIMEOUT_MS) });
    await stream();
    return untilEnd(balancer, ENDED_WELL, () => balancer.signal('SIGTERM'));
  }));

test('after a second signal', () =>
  takesAtMost(2000, async () => {
    const balancer = await open();
    await stream();
    balancer.signal('SIGTERM');
    await balancer.program.waitForOutput(/SIGTERM: draining/);
    return untilEnd(balancer, ENDED_WELL, () => balancer.signal('SIGINT'));
  }));

test('after an error in the main thread', () =>
  takesAtMost(3000, async () => {
    const balancer = await open({ BALANCER_TEST_FAULTS: '1' });
    await stream();
    return untilEnd(balancer, { code: 1, signal: null }, () => balancer.program.write('main throw\n'));
  }));

test('with an access log that nobody reads', () =>
  takesAtMost(3000, async () => {
    const fifo = join(makeTemporaryDirectory('fifo'), 'sink');
    execFileSync('mkfifo', [fifo]);
    // Somebody holds the reading end and never reads.
    const reader = openSync(fifo, constants.O_RDWR);
    const balancer = await open({ BALANCER_ACCESS_LOG: fifo, BALANCER_DRAIN_TIMEOUT_MS: '0' });
    closers.push(() => closeSync(reader));
    for (let i = 0; i < 300; i++) await askOnce(port, `${i}`);
    return untilEnd(balancer, ENDED_WELL, () => balancer.signal('SIGTERM'));
  }));
