// `npm run demo`: the whole product in one minute. Three nodes, a balancer in front with a v1, a v2 and a plain port, real
// connections through each, and what the nodes saw printed beside the truth. Stays up to be played with; `-- --once` does not.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { type DemoNode, startDemoNode } from './demo-node.ts';

interface Port {
  mode: 'v1' | 'v2' | 'none';
  port: number;
}

const BALANCER = fileURLToPath(new URL('../bin/balancer.js', import.meta.url));
const PREFERRED_PORTS = { v1: 8081, v2: 8082, none: 8083 } as const;

/** The preferred port if it is free, else one that is. */
async function freePort(preferred: number): Promise<number> {
  for (const port of [preferred, 0]) {
    const server = createServer();
    server.listen(port, '127.0.0.1');
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    const address = server.address();
    server.close();
    await once(server, 'close');
    if (address !== null && typeof address === 'object') return address.port;
  }
  throw new Error('no free port');
}

function configFile(
  folder: string,
  ports: readonly Port[],
  withHeader: readonly DemoNode[],
  plain: readonly DemoNode[],
) {
  const configs = ports.map(({ mode, port }) => ({
    port,
    protocol: 'tcp',
    proxy_protocol: mode,
    nodes: (mode === 'none' ? plain : withHeader).map(({ name, port }) => ({
      label: name,
      address: `127.0.0.1:${port}`,
    })),
  }));
  const file = join(folder, 'demo.yaml');
  writeFileSync(file, stringify({ nodebalancers: [{ label: 'demo', ipv4: '127.0.0.1', configs }] }));
  return file;
}

/** Starts the real binary. @returns once it is ready */
async function startBalancer(file: string): Promise<ChildProcess> {
  const env = { BALANCER_DRAIN_TIMEOUT_MS: '1000', ...process.env };
  const child = spawn(BALANCER, ['run', '-f', file], { env, stdio: ['ignore', 'inherit', 'pipe'] });
  process.once('exit', () => child.kill('SIGKILL'));
  for await (const line of createInterface({ input: child.stderr })) {
    process.stdout.write(`  ${line}\n`);
    if (line.startsWith('balancer ready')) {
      child.stderr.resume();
      child.stderr.pipe(process.stderr);
      return child;
    }
  }
  throw new Error('the balancer did not start');
}

interface Proof {
  mode: Port['mode'];
  truth: string;
  node: string;
  client: string;
  header: string[];
}

/** One request through the balancer. The truth is what this end of the connection knows about itself. */
async function prove({ mode, port }: Port): Promise<Proof> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const truth = `${socket.localAddress}:${socket.localPort}`;
  socket.write('GET / HTTP/1.1\r\nHost: demo\r\n\r\n');
  let text = '';
  for await (const chunk of socket) text += chunk;
  const [node = '', client = '', , ...header] = text
    .slice(text.indexOf('\r\n\r\n') + 4)
    .trimEnd()
    .split('\n');
  return { mode, truth, node: node.replace('node: ', ''), client: client.replace('client: ', ''), header };
}

function print(proofs: readonly Proof[]): boolean {
  let isProven = true;
  for (const { mode, truth, node, client, header } of proofs) {
    const seen = client.split(' ')[0] === truth;
    const title = mode === 'none' ? 'plain port' : `PROXY ${mode}`;
    isProven &&= seen === (mode !== 'none');
    process.stdout.write(
      `\n${title}\n  the client is  ${truth}\n  ${`${node} saw`.padEnd(13)}  ${client}  ${seen ? '✓' : '✗ that is the balancer'}\n`,
    );
    for (const line of header) process.stdout.write(`    ${line}\n`);
  }
  return isProven;
}

const folder = mkdtempSync(join(tmpdir(), 'balancer-demo-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

const withHeader = await Promise.all(['node-1', 'node-2', 'node-3'].map((name) => startDemoNode(name, true)));
const plain = await Promise.all(['plain-1', 'plain-2', 'plain-3'].map((name) => startDemoNode(name, false)));
const ports: Port[] = [];
for (const mode of ['v1', 'v2', 'none'] as const) ports.push({ mode, port: await freePort(PREFERRED_PORTS[mode]) });

process.stdout.write('Starting three nodes and a balancer in front of them:\n');
const balancer = await startBalancer(configFile(folder, ports, withHeader, plain));
const proofs: Proof[] = [];
for (const port of ports) proofs.push(await prove(port));
const isProven = print(proofs);
process.stdout.write(isProven ? '\nWith a header each node knows its client.\n' : '\nThe proof failed.\n');
process.exitCode = isProven ? 0 : 1;

let isStopping = false;
async function stop(): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  const ended = balancer.exitCode === null ? once(balancer, 'exit') : undefined;
  balancer.kill('SIGTERM');
  await ended;
  for (const node of [...withHeader, ...plain]) node.close();
  process.exit();
}

if (process.argv.includes('--once')) {
  await stop();
} else {
  process.on('SIGINT', () => void stop());
  process.on('SIGTERM', () => void stop());
  process.on('SIGHUP', () => void stop());
  balancer.once('exit', () => void stop());
  const lines = ports.map(
    ({ mode, port }) => `  curl http://127.0.0.1:${port}/    # ${mode === 'none' ? 'no header' : mode}`,
  );
  process.stdout.write(`\nIt goes on running. Try:\n${lines.join('\n')}\nCtrl-C ends it.\n`);
}
