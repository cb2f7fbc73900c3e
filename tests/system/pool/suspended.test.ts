// A balancer that is suspended and goes on (SIGSTOP and SIGCONT, a paused virtual machine): what happened meanwhile is heard before
// anybody's time is up. Nobody is refused, and no node is blamed for a time in which the balancer could not listen.

import { afterEach, expect, test } from 'vitest';
import { onePort } from '../../../testing/balancer.ts';
import { freePort, hostPort, LOOPBACK_IPV4 } from '../../../testing/ports.ts';
import { eventually, stateOf } from '../../../testing/process.ts';
import { connectRaw, openBlackHole } from '../../../testing/raw-socket.ts';
import { tcpSocketsOf } from '../../../testing/sockets.ts';
import { untilQuickEnough } from '../../../testing/yardstick.ts';
import { startPool } from './scene.ts';
import { statusOf } from './status.ts';

const CLIENTS = 4;
const CONNECT_TIMEOUT_MS = 2000;

const closers: (() => unknown)[] = [];
afterEach(closeAll);

async function closeAll(): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close();
}

test('connects that succeed meanwhile count as such', () => untilQuickEnough(connectWhileSuspended));

/** @returns false when a connect's time was up before the balancer was suspended */
async function connectWhileSuspended(): Promise<boolean> {
  await closeAll();
  const { listener: node, filler } = await openBlackHole(LOOPBACK_IPV4, await freePort());
  closers.push(() => node.close());
  closers.push(() => filler.close());
  const port = await freePort();
  const nodes = [{ label: 'node', address: hostPort(LOOPBACK_IPV4, node.port) }];
  const balancer = await startPool(onePort({ port, nodes }), {
    BALANCER_CONNECT_TIMEOUT_MS: String(CONNECT_TIMEOUT_MS),
    BALANCER_CONNECT_RETRIES: '0',
  });
  closers.push(() => balancer.stop());
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => connectRaw(LOOPBACK_IPV4, port)));
  for (const client of clients) closers.push(() => client.close());
  const connects = () => tcpSocketsOf(balancer.pid).filter(({ remote }) => remote.port === node.port);
  await balancer.program.waitUntil('all to connect', () => connects().length === CLIENTS);

  balancer.signal('SIGSTOP');
  closers.push(() => balancer.signal('SIGCONT'));
  await eventually('it to be suspended', () => stateOf(balancer.pid) === 'T');
  if (connects().length < CLIENTS) return false;
  const stoppedMs = performance.now();
  node.setBacklog(2 * CLIENTS);
  // Linux repeats a SYN that nobody answered: after one second, then after two more.
  await eventually('all to be connected, and the time for that to be over', () => {
    const isOver = performance.now() - stoppedMs > CONNECT_TIMEOUT_MS;
    return isOver && connects().every(({ isOpen }) => isOpen);
  });
  balancer.signal('SIGCONT');

  const [only] = (await statusOf(balancer)).frontends[0]?.nodes ?? [];
  expect(only).toMatchObject({ sessions: CLIENTS, connect_timeouts: 0, connect_failures: 0, is_ejected: false });
  return true;
}
