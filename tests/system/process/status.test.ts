// `balancer status` and `balancer nodes` against a running balancer: what they say is what happens, through reloads and
// to the end; and what is wrong with the directory is said, and stops neither the balancer nor the one who asks.

import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { NodeEntry } from '../../../cli/nodes.ts';
import { BALANCER, type Balancer, onePort, startBalancer } from '../../../testing/balancer.ts';
import type { BalancerSpec } from '../../../testing/balancer-spec.ts';
import { freePort } from '../../../testing/ports.ts';
import { eventually, startProgram } from '../../../testing/process.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../../../testing/temporary.ts';
import type { Snapshot } from '../../../workers/snapshot.ts';
import { BARE_ENVIRONMENT, type Ran, runBinary } from './binary.ts';
import { EchoNode, EchoStream } from './echo.ts';

const SOCKET_WARNING = /^.* warn +no status socket at .*$/m;

let parent: string;
let dataDir: string;
let socket: string;
let node: EchoNode;
let port: number;
let deadPort: number;
let balancers: Balancer[];
let streams: EchoStream[];

beforeEach(async () => {
  parent = makeTemporaryDirectory('data');
  dataDir = join(parent, 'state');
  socket = join(dataDir, 'balancer.sock');
  node = await EchoNode.listen();
  port = await freePort();
  deadPort = await freePort();
  balancers = [];
  streams = [];
});

afterEach(async () => {
  for (const stream of streams) stream.destroy();
  await Promise.all(balancers.map((balancer) => balancer.stop()));
  await node.close();
  removeTemporaryDirectory(parent);
});

function spec(): BalancerSpec {
  const live = { label: 'live', address: node.address };
  return onePort({ port, nodes: [live, { label: 'spare', address: `127.0.0.1:${deadPort}`, mode: 'reject' }] });
}

async function start(config = spec(), env: Readonly<Record<string, string>> = {}, unprivileged = false) {
  const all = { BALANCER_DATA_DIR: dataDir, BALANCER_WORKERS: '2', BALANCER_DRAIN_TIMEOUT_MS: '0', ...env };
  const balancer = await startBalancer(config, { env: all, unprivileged });
  balancers.push(balancer);
  const { program } = balancer;
  // Traffic need not wait for it, and so it may come after the word that all is ready.
  await program.waitUntil('its socket', () => existsSync(socket) || SOCKET_WARNING.test(program.stderr));
  return balancer;
}

/** A balancer that is not the test's to stop any more. */
function forget(balancer: Balancer): Balancer {
  balancers.splice(balancers.indexOf(balancer), 1);
  return balancer;
}

function ask(...args: string[]): Promise<Ran> {
  return runBinary(args, { env: { BALANCER_DATA_DIR: dataDir } });
}

async function status(): Promise<Snapshot> {
  const ran = await ask('status', '--json');
  expect(ran).toMatchObject({ code: 0, stderr: '' });
  return JSON.parse(ran.stdout);
}

describe('a running balancer', () => {
  test('says who it is, what it serves, and what its sessions move', async () => {
    const balancer = await start();
    const stream = await EchoStream.open(port, 1, { window: 2000 });
    streams.push(stream);
    await stream.moves(100_000);
    const snapshot = await status();
    expect(snapshot).toMatchObject({ pid: balancer.pid, shards: 2, sessions: 1 });
    expect(Date.now() - Date.parse(snapshot.started)).toBeGreaterThanOrEqual(0);
    const [frontend] = snapshot.frontends;
    expect(frontend).toMatchObject({
      nodebalancer: 'test',
      port,
      addresses: [`127.0.0.1:${port}`],
      health: 'up',
      reason: '1 of 2 nodes takes connections',
      sessions: 1,
      accepted: 1,
      ended: 0,
    });
    expect(frontend?.bytes_in).toBeGreaterThan(100_000);
    expect(frontend?.nodes).toMatchObject([
      { label: 'live', address: node.address, mode: 'accept', sessions: 1, connects: 1 },
      { label: 'spare', mode: 'reject', sessions: 0, connects: 0, bytes_out: 0 },
    ]);
    expect(frontend?.nodes[0]?.bytes_out).toBeGreaterThan(100_000);
    expect((await status()).frontends[0]?.bytes_in).toBeGreaterThanOrEqual(frontend?.bytes_in ?? 0);
  });

  test('counts a session once, when it has ended too', async () => {
    await start();
    const stream = await EchoStream.open(port, 1, { window: 2000 });
    streams.push(stream);
    await stream.moves(10_000);
    stream.destroy();
    await eventually('the session to have ended', async () => (await status()).sessions === 0);
    const [frontend] = (await status()).frontends;
    expect(frontend).toMatchObject({ sessions: 0, accepted: 1, ended: 1 });
    expect(frontend?.bytes_in).toBeGreaterThanOrEqual(10_000);
    expect(frontend?.nodes[0]).toMatchObject({ sessions: 0, connects: 1 });
  });

  test('is told in lines, without colours in a pipe', async () => {
    const balancer = await start();
    const [general, nodes] = await Promise.all([ask('status'), ask('nodes')]);
    expect([general.code, general.stderr, nodes.code, nodes.stderr]).toEqual([0, '', 0, '']);
    const [head, , titles, ...rows] = general.stdout.trimEnd().split('\n');
    expect(head).toMatch(new RegExp(`^balancer \\d\\S*: pid ${balancer.pid}, up \\S+.*, 2 shards, 0 of at most \\d+`));
    expect(titles).toMatch(/^FRONTEND /);
    expect(rows).toEqual([expect.stringMatching(new RegExp(`^test:${port} +127\\.0\\.0\\.1:${port} .* UP `))]);
    expect(nodes.stdout.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^FRONTEND +NODE +ADDRESS /),
      expect.stringMatching(new RegExp(`^test:${port} +live +${node.address} +accept `)),
      expect.stringMatching(new RegExp(`^test:${port} +spare +127\\.0\\.0\\.1:${deadPort} +reject `)),
    ]);
    expect(general.stdout + nodes.stdout).not.toContain('\u001b');
  });

  test('lists its nodes as JSON, each with its port', async () => {
    await start();
    const ran = await ask('nodes', '--json');
    const entries: NodeEntry[] = JSON.parse(ran.stdout);
    expect(entries).toMatchObject([
      { nodebalancer: 'test', port, label: 'live' },
      { nodebalancer: 'test', port, label: 'spare' },
    ]);
  });

  test('tells what a reload has changed', async () => {
    const balancer = await start();
    const other = await freePort();
    await balancer.reload(onePort({ port: other, algorithm: 'leastconn', nodes: [] }));
    const { frontends } = await status();
    expect(frontends).toHaveLength(1);
    expect(frontends[0]).toMatchObject({ port: other, algorithm: 'leastconn', health: 'down', nodes: [] });
  });

  test('is found by --data-dir, whatever the environment says, and not by others', async () => {
    await start();
    const elsewhere = { env: { BALANCER_DATA_DIR: join(parent, 'elsewhere') } };
    const found = await runBinary(['status', '--json', '--data-dir', dataDir], elsewhere);
    expect(found.code).toBe(0);
    expect((await runBinary(['status'], elsewhere)).code).toBe(1);
  });

  test('keeps its socket to itself, and takes it along when it ends', async () => {
    const balancer = await start();
    expect(statSync(dataDir).mode & 0o777).toBe(0o700);
    expect(statSync(socket).mode & 0o777).toBe(0o600);
    expect(await forget(balancer).stop()).toEqual({ code: 0, signal: null });
    expect(existsSync(socket)).toBe(false);
  });

  test('that was killed leaves a socket, which the next one replaces', async () => {
    const balancer = await start();
    forget(balancer).program.killGroup();
    await balancer.program.exit;
    removeTemporaryDirectory(balancer.directory);
    expect(existsSync(socket)).toBe(true);
    expect((await ask('status')).code).toBe(1);
    port = await freePort();
    const next = await start();
    expect((await status()).pid).toBe(next.pid);
    expect(next.program.stderr).not.toMatch(SOCKET_WARNING);
  });

  test.each([
    [{}, true],
    [{ NO_COLOR: '1' }, false],
  ])('has colours on a terminal, with %j: %s', async (env, isColoured) => {
    await start();
    const program = await startProgram({
      name: 'balancer status on a terminal',
      command: 'script',
      args: ['--quiet', '--return', '--command', `'${BALANCER}' status`, '/dev/null'],
      env: { ...BARE_ENVIRONMENT, NO_COLOR: undefined, BALANCER_DATA_DIR: dataDir, ...env },
    });
    program.closeInput();
    expect(await program.waitForExit()).toEqual({ code: 0, signal: null });
    expect(program.stdout).toContain(isColoured ? ' \u001b[32mUP\u001b[39m ' : ' UP ');
    expect(program.stdout.includes('\u001b')).toBe(isColoured);
  });

  test('answers a reader that goes away without a word', async () => {
    await start();
    const program = await startProgram({
      name: 'balancer nodes | head',
      command: '/bin/bash',
      args: ['-c', 'set -o pipefail; "$1" nodes | head -n 0', 'bash', BALANCER],
      env: { ...BARE_ENVIRONMENT, BALANCER_DATA_DIR: dataDir },
    });
    expect(await program.waitForExit()).toEqual({ code: 0, signal: null });
    expect(program.stderr).toBe('');
  });
});

describe('a balancer without a socket serves all the same', () => {
  test('because another one has it: a warning names that one', async () => {
    const first = await start();
    port = await freePort();
    const second = await start();
    const [warning] = await second.program.waitForOutput(SOCKET_WARNING);
    for (const part of [socket, `another balancer (pid ${first.pid})`, 'BALANCER_DATA_DIR']) {
      expect(warning).toContain(part);
    }
    streams.push(await EchoStream.open(port, 1, { window: 2000 }));
    await streams[0]?.moves(1000);
    expect((await status()).pid).toBe(first.pid);
    await forget(second).stop();
    expect((await status()).pid).toBe(first.pid);
  });

  test('because it may not make its directory, which nobody has asked for: a warning says so', async () => {
    const balancer = await start(spec(), { BALANCER_DATA_DIR: '', XDG_STATE_HOME: '/sys' }, true);
    const [warning] = await balancer.program.waitForOutput(SOCKET_WARNING);
    // A user who is root all the same has root's directory.
    expect(warning).toMatch(/ the directory \/(sys|var\/lib)\/balancer cannot be made: .*\((EACCES|EPERM|EROFS)\)/);
    streams.push(await EchoStream.open(port, 1, { window: 2000 }));
    await streams[0]?.moves(1000);
  });

  test('because a file is in the place of the socket: a warning says so', async () => {
    mkdirSync(dataDir);
    writeFileSync(socket, 'precious');
    const balancer = await start();
    const [warning] = await balancer.program.waitForOutput(SOCKET_WARNING);
    expect(warning).toContain('a file in its way that is not a socket');
    streams.push(await EchoStream.open(port, 1, { window: 2000 }));
    await streams[0]?.moves(1000);
  });
});

describe.each(['status', 'nodes'])('balancer %s without a balancer', (verb) => {
  test('is one sentence that names the socket and a way on, exit 1', async () => {
    const ran = await ask(verb);
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.lines).toEqual([
      `balancer: no balancer runs at ${socket}: start one, or name the directory of the running one ` +
        '(--data-dir or BALANCER_DATA_DIR)',
    ]);
  });

  test('with a path that no socket can have says that', async () => {
    const ran = await runBinary([verb, '--data-dir', `/${'x'.repeat(100)}`]);
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.lines).toEqual([expect.stringMatching(/^balancer: .* is longer than the 107 bytes /)]);
  });

  test.each([
    [['--data-dir', ''], {}, /--data-dir needs the name of a directory/],
    [[], { BALANCER_DATA_DIR: 'relative' }, /BALANCER_DATA_DIR: found "relative", expected an absolute path/],
    [['--data-dri', 'x'], {}, /--data-dri/],
  ])('called wrongly, %j with %j, is a mistake in calling it', async (args, env, says) => {
    const ran = await runBinary([verb, ...args], { env });
    expect(ran).toMatchObject({ code: 2, stdout: '' });
    expect(ran.lines[0]).toMatch(says);
  });
});
