// Where nodes are, with real shards and real connections: never back at the balancer itself, and at the next address of their name when
// they fail where they were. What is chosen of which is told in tests/pure/workers/node-addresses.test.ts.

import { createServer, type Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { processSettings } from '../../../cli/settings.ts';
import { formatIp } from '../../../core/base/ip.ts';
import type { Config } from '../../../core/config/model.ts';
import { Peer } from '../../../testing/peer.ts';
import { freePorts } from '../../../testing/ports.ts';
import { eventually } from '../../../testing/process.ts';
import { addLoopbackIpv6 } from '../../../testing/raw-socket.ts';
import { takeSnapshot } from '../../../workers/snapshot.ts';
import { Supervisor, type SupervisorOptions } from '../../../workers/supervisor.ts';
import { configOf } from '../../pure/config/support.ts';
import { makeNotebook } from '../../pure/workers/notebook.ts';

const A = '127.0.0.2';
const B = '127.0.0.3';

let answers: string[];
let port: number;
let nodePort: number;
let supervisor: Supervisor | undefined;
let server: Server | undefined;

beforeEach(async () => {
  [port = 0, nodePort = 0] = await freePorts(2);
  answers = [A, B];
});
afterEach(async () => {
  await supervisor?.stop();
  server?.close();
  supervisor = undefined;
  server = undefined;
});

/** A balancer of one shard whose names all have `answers`. */
async function start(
  config: Config,
  more: Partial<SupervisorOptions> = {},
): Promise<{ lines: string[]; own: Supervisor }> {
  const { lines, ...logger } = makeNotebook();
  const { supervisor: options } = processSettings({ workers: 1, connectionsMax: 32, connectRetries: 8 }, 4);
  // What is said to an operator: not what is for whoever looks for a fault.
  const told = { ...logger, debug: () => {} };
  const own = new Supervisor({ ...options, lookupAll: async () => answers, ...more }, told);
  supervisor = own;
  await own.start(config);
  return { lines, own };
}

function serving(node: string, more: object = {}, nodebalancer: object = { ipv4: '127.0.0.1' }): Config {
  const configs = [{ port, nodes: [{ label: 'node', address: node }], ...more }];
  return configOf(JSON.stringify({ nodebalancers: [{ label: 'web', ...nodebalancer, configs }] }));
}

/** @returns where a server that greets was opened */
async function listen(host: string): Promise<void> {
  const opened = createServer((socket) => socket.on('error', () => {}).end(host));
  await new Promise<void>((resolve) => opened.listen(nodePort, host, resolve));
  server = opened;
}

/** What a client gets. */
async function ask(host = '127.0.0.1'): Promise<string> {
  try {
    const client = await Peer.connect({ host, port });
    return (await client.recvAll()).toString();
  } catch {
    return 'reset';
  }
}

function nodeIp(own: Supervisor): string | undefined {
  const ip = own.snapshotSource().frontends[0]?.nodes[0]?.ip;
  return ip && formatIp(ip, 0);
}

test('a name that leads back to its port makes no session but the client’s own, and is told once', async () => {
  answers = ['127.0.1.1'];
  const { lines, own } = await start(serving(`back.test:${port}`, {}, { ipv4: '0.0.0.0' }));
  for (let i = 0; i < 5; i++) await ask();
  const [frontend] = takeSnapshot(own.snapshotSource()).frontends;
  expect([frontend?.accepted, frontend?.no_node]).toEqual([5, 5]);
  await own.reload(serving(`back.test:${port}`, { algorithm: 'leastconn' }, { ipv4: '0.0.0.0' }));
  const told = lines.filter((line) => line.startsWith('warn'));
  expect(told).toEqual([
    `warn: node node (back.test:${port}) of web port ${port} takes no connections: its host name resolves to 127.0.1.1, a circle: web port ${port} -> web port ${port}`,
  ]);
});

test('an address that the machine gets makes the node’s port lead back: nothing is sent there from then on', async () => {
  const node = `[fd00::9]:${port}`;
  const { lines, own } = await start(serving(node, {}, { ipv4: '127.0.0.1', ipv6: '::' }));
  expect([nodeIp(own), lines]).toEqual(['fd00::9', []]);
  addLoopbackIpv6('fd00::9');
  await eventually('the node to have no address', () => nodeIp(own) === undefined);
  expect(await ask('::1')).toBe('reset');
  await eventually('its session to end', () => own.shards.live() === 0);
  expect(lines).toEqual([
    `warn: node node (${node}) of web port ${port} takes no connections: this machine has its address now: fd00::9, a circle: web port ${port} -> web port ${port}`,
  ]);
});

test('sessions that went round before that was known end', async () => {
  let local: string[] = [];
  const node = `[fd00::8]:${port}`;
  addLoopbackIpv6('fd00::8');
  // The machine has the address, and is believed not to have it: as in the moment in which it gets one.
  const { own } = await start(serving(node, {}, { ipv4: '127.0.0.1', ipv6: '::' }), { localAddresses: () => local });
  const client = await Peer.connect({ host: '::1', port });
  await eventually('it to go round until no session is left', () => own.shards.live() === 32);
  local = ['fd00::8'];
  expect(await client.recvEnd()).toBe('rst');
  await eventually('all sessions to end', () => own.shards.live() === 0);
});

describe('a node whose name has two addresses', () => {
  test('is at the second for those who could not connect to it at the first, which is told once', async () => {
    await listen(B);
    const { lines, own } = await start(serving(`two.test:${nodePort}`));
    expect(nodeIp(own)).toBe(A);
    expect(await ask()).toBe(B);
    expect(await ask()).toBe(B);
    expect(lines).toEqual([
      `warn: node node (two.test:${nodePort}) of web port ${port} moved from ${A} to ${B}: sessions could not connect to it: ECONNREFUSED (connection refused)`,
    ]);
  });

  test('is DOWN when its checks have failed at both, and comes back at the one that answers first', async () => {
    const check = { check: 'connection', check_interval: 2, check_timeout: 1, check_attempts: 1, check_passive: false };
    const { lines, own } = await start(serving(`two.test:${nodePort}`, check));
    const isTold = (text: string) => () => lines.some((line) => line.includes(text));
    await eventually('the node to be DOWN', isTold('is DOWN'));
    expect([nodeIp(own), lines.length]).toEqual([B, 2]);
    await listen(A);
    await eventually('the node to be UP', isTold('is UP'));
    expect(await ask()).toBe(A);
    const name = `node node (two.test:${nodePort}) of web port ${port}`;
    const failed = expect.stringMatching(/its check failed: connection refused after \d+ ms$/);
    expect(lines.map((line) => line.replace(/: its check failed.*/, ''))).toEqual([
      `warn: ${name} moved from ${A} to ${B}`,
      `warn: ${name} is DOWN`,
      `warn: ${name} moved from ${B} to ${A}: a check was answered there`,
      `info: ${name} is UP: it takes connections`,
    ]);
    expect(lines.slice(0, 2)).toEqual([failed, failed]);
  });
});
