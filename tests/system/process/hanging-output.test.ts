// Logs and messages whose sink hangs, and name servers that are silent: each costs its own lines or names, and nothing else. Sessions are
// served, names are looked up, HUP, USR1 and TERM are obeyed, and what was lost is counted and said.

import { execFileSync, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { closeSync, constants, existsSync, openSync, readFileSync, readSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { askStatus, socketPath } from '../../../control/status-client.ts';
import { BALANCER, type Balancer, onePort, startBalancer } from '../../../testing/balancer.ts';
import { accepts, freePorts, LOOPBACK_IPV4 } from '../../../testing/ports.ts';
import { eventually, startProgram } from '../../../testing/process.ts';
import { makeTemporaryDirectory } from '../../../testing/temporary.ts';
import { BARE_ENVIRONMENT, startThroughShell } from './binary.ts';
import { EchoNode } from './echo.ts';
import { askOnce } from './short-connections.ts';

const DROPPED = /access log .*: (\d+) lines were dropped/g;

let balancer: Balancer | undefined;
const closing: (() => unknown)[] = [];
afterEach(async () => {
  await balancer?.stop();
  balancer = undefined;
  for (const close of closing.splice(0).reverse()) await close();
});

async function listenEcho(): Promise<EchoNode> {
  const node = await EchoNode.listen();
  closing.push(() => node.close());
  return node;
}

function nodeAt(address: string, label = 'one') {
  return { label, address };
}

function makeFifo(): string {
  const path = join(makeTemporaryDirectory('fifo'), 'fifo');
  execFileSync('mkfifo', [path]);
  return path;
}

/** @returns a descriptor that reads what there is, and never waits */
function openFifo(path: string, access: number): number {
  const fd = openSync(path, access | constants.O_NONBLOCK);
  closing.push(() => closeSync(fd));
  return fd;
}

function linesIn(fd: number): string[] {
  const buffer = Buffer.alloc(1 << 20);
  let text = '';
  for (;;) {
    try {
      const bytes = readSync(fd, buffer);
      if (bytes === 0) break;
      text += buffer.toString('utf8', 0, bytes);
    } catch {
      break;
    }
  }
  return text.split('\n').slice(0, -1);
}

function droppedBy({ program }: Balancer): number {
  return [...program.stderr.matchAll(DROPPED)].reduce((sum, [, lines]) => sum + Number(lines), 0);
}

/** Of the first node of the second port, as the running process tells it. */
async function weightNow(directory: string): Promise<number | undefined> {
  const { frontends } = await askStatus(socketPath(directory), 1000);
  return frontends[1]?.nodes[0]?.weight;
}

async function ask(port: number, times: number): Promise<void> {
  for (let i = 0; i < times; i++) await askOnce(port, `request ${i}`);
}

test('a FIFO without a reader, and rotations: names are looked up, and a reader that comes gets every line', async () => {
  const [node, fifo, [port = 0]] = [await listenEcho(), makeFifo(), await freePorts(1)];
  balancer = await startBalancer(onePort({ port, nodes: [nodeAt(node.address)] }), {
    env: { BALANCER_WORKERS: '1', BALANCER_ACCESS_LOG: fifo },
  });
  const { program } = balancer;
  for (let i = 1; i <= 4; i++) {
    balancer.signal('SIGUSR1');
    await program.waitUntil('the rotation', () => (program.stderr.match(/access log opened anew/g) ?? []).length === i);
  }
  await ask(port, 5);
  const named = onePort({ port, nodes: [nodeAt(`localhost:${node.port}`)] });
  expect(await balancer.reload(named)).toMatch(/applied, \d/);
  expect(program.stderr).not.toMatch(/cannot be resolved/);
  await ask(port, 5);
  const fd = openFifo(fifo, constants.O_RDONLY);
  const lines: string[] = [];
  await program.waitUntil('ten lines', () => lines.push(...linesIn(fd)) >= 10);
  expect(lines.map((line) => JSON.parse(line).outcome)).toEqual(Array(10).fill('--'));
  await balancer.stop();
  expect(program.stderr).not.toMatch(/dropped/);
});

test('a reader that has stopped: of every session there is a line, or it was dropped, and TERM says how many', async () => {
  const [node, fifo, [port = 0]] = [await listenEcho(), makeFifo(), await freePorts(1)];
  const fd = openFifo(fifo, constants.O_RDWR);
  balancer = await startBalancer(onePort({ port, nodes: [nodeAt(node.address)] }), {
    env: { BALANCER_WORKERS: '1', BALANCER_ACCESS_LOG: fifo },
  });
  // A pipe holds 64 KiB: some 130 lines.
  await ask(port, 300);
  expect(await balancer.stop()).toEqual({ code: 0, signal: null });
  const dropped = droppedBy(balancer);
  expect(dropped).toBeGreaterThan(0);
  expect(linesIn(fd).length + dropped).toBe(300);
});

test.each(['throw', 'block'])(
  'a log thread that fails, %s: sessions go on, and no line is lost without a word',
  async (fault) => {
    const [node, [port = 0]] = [await listenEcho(), await freePorts(1)];
    balancer = await startBalancer(onePort({ port, nodes: [nodeAt(node.address)] }), {
      env: { BALANCER_WORKERS: '1', BALANCER_ACCESS_LOG: 'log', BALANCER_TEST_FAULTS: '1' },
    });
    const { program } = balancer;
    const log = join(balancer.directory, 'log');
    const lines = () => readFileSync(log, 'utf8').split('\n').length - 1;
    await ask(port, 1);
    await program.waitUntil('its line', () => lines() === 1);
    program.write(`log-${fault}\n`);
    if (fault === 'throw')
      await program.waitForOutput(/access log log: the thread that writes it died \(fault injected/);
    await ask(port, 20);
    if (fault === 'throw') {
      await program.waitUntil('a successor to write', async () => {
        await ask(port, 1);
        return lines() > 1;
      });
    }
    program.signal('SIGTERM');
    expect(await program.waitForExit()).toEqual({ code: 0, signal: null });
    expect(lines() + droppedBy(balancer)).toBe(node.accepted);
  },
);

test('a terminal that nobody reads takes messages for as long as it has room: HUP and TERM are obeyed all the same', async (context) => {
  if (spawnSync('script', ['--version']).status !== 0) return context.skip();
  const [node, fifo, [port = 0, otherPort = 0]] = [await listenEcho(), makeFifo(), await freePorts(2)];
  const directory = makeTemporaryDirectory('terminal');
  const [file, pidFile] = [join(directory, 'balancer.yaml'), join(directory, 'pid')];
  // Each of a hundred nodes has another weight each time: some 10 KiB of messages.
  const reload = (turn: number): void => {
    const nodes = Array.from({ length: 100 }, (_, i) => ({
      ...nodeAt(`127.0.1.${i + 1}:${node.port}`, `node-${i}`),
      weight: 1 + (turn % 2),
    }));
    const configs = [
      { port, nodes: [nodeAt(node.address)] },
      { port: otherPort, nodes },
    ];
    writeFileSync(`${file}.new`, stringify({ nodebalancers: [{ label: 'web', ipv4: LOOPBACK_IPV4, configs }] }));
    renameSync(`${file}.new`, file);
  };
  reload(0);
  const fd = openFifo(fifo, constants.O_RDWR);
  // Its terminal is read by a program whose own output nobody reads.
  const program = await startProgram({
    name: 'a terminal',
    command: 'sh',
    args: ['-c', `exec script -qec 'echo $$ > ${pidFile}; exec ${BALANCER} run -f ${file}' /dev/null > ${fifo}`],
    env: { ...BARE_ENVIRONMENT, BALANCER_ADMIN_ADDRESS: 'off', BALANCER_WORKERS: '1', BALANCER_DATA_DIR: directory },
  });
  await program.waitUntil('the port', () => accepts(LOOPBACK_IPV4, port));
  const pid = Number(readFileSync(pidFile, 'utf8'));
  closing.push(() => existsSync(`/proc/${pid}`) && process.kill(pid, 'SIGKILL'));
  for (let turn = 1; turn <= 40; turn++) {
    reload(turn);
    process.kill(pid, 'SIGHUP');
    await program.waitUntil(`reload ${turn}`, async () => (await weightNow(directory)) === 1 + (turn % 2));
  }
  await askOnce(port, 'a request');
  process.kill(pid, 'SIGTERM');
  await eventually('its end', () => linesIn(fd).length >= 0 && program.exited !== undefined);
  expect(program.exited).toEqual({ code: 0, signal: null });
});

test.skipIf(process.getuid?.() !== 0)(
  'four silent name servers: another name is looked up (skipped unless root)',
  async () => {
    const [node, [port = 0]] = [await listenEcho(), await freePorts(1)];
    const server = createSocket('udp4');
    await new Promise<void>((resolve) => server.bind(53, '127.0.0.53', resolve));
    closing.push(() => server.close());
    const resolvConf = join(makeTemporaryDirectory('resolv'), 'resolv.conf');
    writeFileSync(resolvConf, 'nameserver 127.0.0.53\noptions timeout:30 attempts:1\n');
    const names = Array.from({ length: 4 }, (_, i) => nodeAt(`silent-${i}.example:${node.port}`, `silent-${i}`));
    balancer = await startThroughShell(
      `exec unshare -m sh -c 'mount --bind ${resolvConf} /etc/resolv.conf && exec "$@"' sh "$@"`,
      onePort({ port, nodes: [...names, nodeAt(`localhost:${node.port}`, 'good')] }),
      { BALANCER_WORKERS: '1', BALANCER_DRAIN_TIMEOUT_MS: '0' },
    );
    const failed = balancer.program.stderr.match(/host name \S+ cannot be resolved/g);
    expect(failed?.sort()).toEqual(names.map((_, i) => `host name silent-${i}.example cannot be resolved`));
    await ask(port, 1);
    const since = balancer.program.stderr.length;
    balancer.signal('SIGTERM');
    await balancer.program.waitForOutput(/all sessions have ended/, undefined, since);
  },
);
