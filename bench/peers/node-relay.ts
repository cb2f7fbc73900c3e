// A TCP relay as one writes it in Node.js: accept, connect, write a PROXY header, pipe() both ways. `node-relay.ts ROUTES.json`. It stays
// an ordinary program on purpose: no tricks that our balancer is made of, and no mistakes that would make it look slow.

import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import type { Route } from '../contender.ts';

const BACKLOG = 4096;
const V2_SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const V2_PROXY = 0x21;
const V2_TCP4 = 0x11;
const V2_ADDRESSES_BYTES = 12;

function relay(front: Socket, { nodePort, header }: Route): void {
  // A client that is gone already has no address, and needs no node.
  const { remoteAddress, remotePort, localAddress, localPort } = front;
  if (!remoteAddress || !remotePort || !localAddress || !localPort) {
    front.destroy();
    return;
  }
  const back = connect({ host: '127.0.0.1', port: nodePort, allowHalfOpen: true, noDelay: true });
  // pipe() passes on the end of a stream, and not its failure.
  front.on('error', () => back.resetAndDestroy());
  back.on('error', () => front.resetAndDestroy());
  if (header === 'v1') back.write(v1(remoteAddress, remotePort, localAddress, localPort));
  if (header === 'v2') back.write(v2(remoteAddress, remotePort, localAddress, localPort));
  front.pipe(back);
  back.pipe(front);
}

/** Both headers for IPv4 only, which is what the listeners below are. */
function v1(source: string, sourcePort: number, destination: string, destinationPort: number): string {
  return `PROXY TCP4 ${source} ${destination} ${sourcePort} ${destinationPort}\r\n`;
}

function v2(source: string, sourcePort: number, destination: string, destinationPort: number): Buffer {
  const bytes = Buffer.alloc(V2_SIGNATURE.length + 4 + V2_ADDRESSES_BYTES);
  let at = V2_SIGNATURE.copy(bytes);
  at = bytes.writeUInt8(V2_PROXY, at);
  at = bytes.writeUInt8(V2_TCP4, at);
  at = bytes.writeUInt16BE(V2_ADDRESSES_BYTES, at);
  for (const part of [...source.split('.'), ...destination.split('.')]) at = bytes.writeUInt8(Number(part), at);
  at = bytes.writeUInt16BE(sourcePort, at);
  bytes.writeUInt16BE(destinationPort, at);
  return bytes;
}

function listen(route: Route): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (front) => relay(front, route));
    server.once('error', reject);
    server.listen({ host: '0.0.0.0', port: route.frontPort, backlog: BACKLOG }, resolve);
  });
}

const routes: Route[] = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'));
try {
  await Promise.all(routes.map(listen));
  process.stdout.write('ready\n');
} catch (error) {
  process.stderr.write(`node-relay: ${error instanceof Error ? error.message : error}\n`);
  process.exit(1);
}
