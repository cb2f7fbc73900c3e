// The prober with its real checks, timers and sockets: a node comes up, goes down and comes back, and nothing stays open after a stop.

import { afterEach, expect, test } from 'vitest';
import { monotonicMs } from '../../../core/base/clock.ts';
import { createNodeStates, nodeStatesBytes } from '../../../core/health/node-states.ts';
import { type Peer, PeerListener } from '../../../testing/peer.ts';
import { freePort, LOOPBACK_IPV4 } from '../../../testing/ports.ts';
import { eventually } from '../../../testing/process.ts';
import { Farewells } from '../../../workers/checks/attempt.ts';
import { createRunCheck } from '../../../workers/checks/run.ts';
import { Prober } from '../../../workers/prober.ts';
import { makeTarget } from './checks-support.ts';

let prober: Prober | undefined;
let node: PeerListener | undefined;

afterEach(async () => {
  prober?.stop();
  await node?.close();
});

test('a node comes up, goes down and comes back', async () => {
  const lines: string[] = [];
  prober = new Prober({
    states: createNodeStates(new SharedArrayBuffer(nodeStatesBytes(1)), 1),
    nowMs: monotonicMs,
    runCheck: createRunCheck(new Farewells(1)),
    checksMax: 1,
    onTransition: (_, health, text) => lines.push(`${health}: ${text}`),
    onAnswer: () => {},
  });
  const port = await freePort();
  node = await PeerListener.listen(LOOPBACK_IPV4, port);
  prober.update([makeTarget(port, { name: 'web-1', intervalMs: 40, timeoutMs: 30_000, attempts: 2 })]);
  await eventually('the node to be up', () => lines.length === 1);
  await node.close();
  await eventually('the node to be down', () => lines.length === 2);
  node = await PeerListener.listen(LOOPBACK_IPV4, port);
  await eventually('the node to be up again', () => lines.length === 3);
  expect(lines[0]).toBe('up: node web-1 is UP: it takes connections');
  expect(lines[1]).toMatch(
    /^down: node web-1 is DOWN: 2 checks in a row failed, the last: connection refused after \d+ ms$/,
  );
  expect(lines[2]).toBe('up: node web-1 is UP: it takes connections');
});

test('a stop closes what a check has open', async () => {
  prober = new Prober({
    states: createNodeStates(new SharedArrayBuffer(nodeStatesBytes(1)), 1),
    nowMs: monotonicMs,
    runCheck: createRunCheck(new Farewells(1)),
    checksMax: 1,
    onTransition: () => {},
    onAnswer: () => {},
  });
  node = await PeerListener.listen(LOOPBACK_IPV4, await freePort());
  prober.update([makeTarget(node.port, { check: 'http', timeoutMs: 30_000 })]);
  const peer: Peer = await node.accept();
  await peer.recvUntil('\r\n\r\n');
  expect(peer.ended).toBe('open');
  prober.stop();
  expect(await peer.recvEnd()).toBe('fin');
});
