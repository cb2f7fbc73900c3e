// `npm run demo`: the whole product in one minute. A balancer that knows nothing yet, two nodes, and requests to its API that make it
// serve them, with a header of version 1, then of version 2, then beside a port without; real connections after each step, and what
// the nodes saw printed beside the truth. Stays up to be played with; `-- --once` does not.

import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DemoBalancer, startDemoBalancer } from './demo-balancer.ts';
import { startDemoNode } from './demo-node.ts';

const API_PORT = 8080;
const HEADER_PORT = 8081;
const PLAIN_PORT = 8082;

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

interface Proof {
  truth: string;
  node: string;
  client: string;
  header: string[];
}

/** One request through the balancer. The truth is what this end of the connection knows about itself. */
async function prove(port: number): Promise<Proof> {
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
  return { truth, node: node.replace('node: ', ''), client: client.replace('client: ', ''), header };
}

/** @returns whether the node saw what it should */
async function show(title: string, port: number, isToKnow: boolean): Promise<boolean> {
  const { truth, node, client, header } = await prove(port);
  const knows = client.split(' ')[0] === truth;
  process.stdout.write(
    `\n${title}\n  the client is  ${truth}\n  ${`${node} saw`.padEnd(13)}  ${client}  ${knows ? '✓' : '✗ that is the balancer'}\n`,
  );
  for (const line of header) process.stdout.write(`    ${line}\n`);
  return knows === isToKnow;
}

/** A config with its nodes: the API takes them one after the other. @returns its path */
async function addConfig(
  balancer: DemoBalancer,
  path: string,
  config: { port: number; proxy_protocol: string },
  nodes: readonly { name: string; port: number }[],
): Promise<string> {
  const { id } = await balancer.request('POST', `${path}/configs`, { protocol: 'tcp', ...config });
  for (const { name, port } of nodes) {
    await balancer.request('POST', `${path}/configs/${id}/nodes`, { label: name, address: `127.0.0.1:${port}` });
  }
  return `${path}/configs/${id}`;
}

const folder = mkdtempSync(join(tmpdir(), 'balancer-demo-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

const withHeader = [await startDemoNode('node-1', true), await startDemoNode('node-2', true)];
const plain = await startDemoNode('plain-1', false);

process.stdout.write('Starting two nodes and a balancer that has no configuration yet:\n');
const balancer = await startDemoBalancer(folder, await freePort(API_PORT)).catch((error: Error) => {
  // What it said itself stands above.
  process.stderr.write(`\nThe demo cannot go on: ${error.message}.\n`);
  process.exit(1);
});
const port = await freePort(HEADER_PORT);
const plainPort = await freePort(PLAIN_PORT);

process.stdout.write('\nTelling it over its API what to serve:\n');
const { id } = await balancer.request('POST', '/nodebalancers', { region: 'local', label: 'demo', ipv4: '127.0.0.1' });
const path = `/nodebalancers/${id}`;
const config = await addConfig(balancer, path, { port, proxy_protocol: 'v1' }, withHeader);
const proofs = [await show('PROXY v1', port, true)];

process.stdout.write('\nChanging it while it runs:\n');
await balancer.request('PUT', config, { proxy_protocol: 'v2' });
proofs.push(await show('PROXY v2', port, true));

process.stdout.write('\nAdding a port without a header:\n');
await addConfig(balancer, path, { port: plainPort, proxy_protocol: 'none' }, [plain]);
proofs.push(await show('plain port', plainPort, false));

const isProven = !proofs.includes(false);
process.stdout.write(isProven ? '\nWith a header each node knows its client.\n' : '\nThe proof failed.\n');
process.exitCode = isProven ? 0 : 1;

let isStopping = false;
async function stop(): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  await balancer.stop();
  for (const node of [...withHeader, plain]) node.close();
  process.exit();
}

if (process.argv.includes('--once')) {
  await stop();
} else {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop());
  void balancer.ended.then(stop);
  process.stdout.write(`
It goes on running. Try:
  curl http://127.0.0.1:${port}/    # v2
  curl http://127.0.0.1:${plainPort}/    # no header
  curl -H 'Authorization: Bearer ${balancer.token}' ${balancer.url}/v4/nodebalancers
The page, logged in once:
  ${await balancer.loginUrl()}
Ctrl-C ends it.
`);
}
