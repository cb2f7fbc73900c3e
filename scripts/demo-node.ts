// A small HTTP node for the demo: reads a PROXY header if it is told to expect one, and answers with the client it saw.

import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { formatEndpoint } from '../core/base/ip.ts';
import { decodeHeader } from '../core/proxy-protocol/decode.ts';
import { describeHeader } from '../core/proxy-protocol/describe.ts';
import type { Accepted } from '../core/proxy-protocol/header.ts';

export interface DemoNode {
  readonly name: string;
  readonly port: number;
  close(): void;
}

/** @param expectsHeader as on a real server, this is set per port, never guessed */
export async function startDemoNode(name: string, expectsHeader: boolean): Promise<DemoNode> {
  const server = createServer((socket) => void answer(name, expectsHeader, socket).catch(() => socket.destroy()));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { name, port: portOf(server), close: () => server.close() };
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the node has no port');
  return address.port;
}

async function answer(name: string, expectsHeader: boolean, socket: Socket): Promise<void> {
  let received = Buffer.alloc(0);
  for await (const chunk of socket) {
    received = Buffer.concat([received, chunk]);
    const decoded = expectsHeader ? decodeHeader(received) : undefined;
    if (decoded?.kind === 'rejected') return void socket.end(response(`${name}: bad header: ${decoded.detail}`));
    if (decoded?.kind === 'incomplete') continue;
    const request = received.subarray(decoded?.headerBytes ?? 0).toString('latin1');
    if (!request.includes('\r\n\r\n')) continue;
    const peer = formatEndpoint(socket.remoteAddress ?? '', socket.remotePort ?? 0);
    socket.end(response(report(name, decoded, peer, received)));
    return;
  }
}

function report(name: string, decoded: Accepted | undefined, peer: string, received: Buffer): string {
  const source = decoded?.source;
  if (decoded === undefined || source === undefined) {
    return `node: ${name}\nclient: ${peer} (the socket's peer: no header was sent)`;
  }
  const header = describeHeader(received.subarray(0, decoded.headerBytes));
  return `node: ${name}\nclient: ${formatEndpoint(source.ip, source.port)} (from the PROXY v${decoded.version} header)\n\n${header}`;
}

function response(text: string): string {
  const body = `${text}\n`;
  return `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`;
}
