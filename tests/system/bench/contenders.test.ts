// Every contender does the job that it is measured at: with each header that it claims to send, the node sees that header and the
// client's bytes, and nothing else. Figures of one that does another job would compare nothing.

import type { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type Contender,
  type RunningContender,
  routesTo,
  type Start,
  startContender,
} from '../../../bench/contender.ts';
import { whyNotPinned } from '../../../bench/machine.ts';
import { processTree } from '../../../bench/meters.ts';
import { balancer } from '../../../bench/peers/balancer.ts';
import { haproxy } from '../../../bench/peers/haproxy.ts';
import { nginx } from '../../../bench/peers/nginx.ts';
import { node } from '../../../bench/peers/node.ts';
import { Peer, PeerListener } from '../../../testing/peer.ts';
import { freePorts, LOOPBACK_IPV4 } from '../../../testing/ports.ts';
import { eventually } from '../../../testing/process.ts';
import type { ProxyHeader } from '../../../testing/proxy-header.ts';
import { tcpSocketsOf } from '../../../testing/sockets.ts';

const CONTENDERS: readonly Contender[] = [balancer, haproxy, nginx, node];
const CONNECTIONS = 200;
const TLV_CRC32C = 3;

let http: PeerListener;
let plainHttp: PeerListener;
let sink: PeerListener;
let running: RunningContender | undefined;

beforeEach(async () => {
  const [httpPort = 0, plainHttpPort = 0, sinkPort = 0] = await freePorts(3);
  http = await PeerListener.listen(LOOPBACK_IPV4, httpPort);
  plainHttp = await PeerListener.listen(LOOPBACK_IPV4, plainHttpPort);
  sink = await PeerListener.listen(LOOPBACK_IPV4, sinkPort);
});

afterEach(async () => {
  for (const listener of [http, plainHttp, sink]) await listener.close();
  await running?.stop();
  running = undefined;
});

async function start(contender: Contender, kind = contender.headers[0], more: Partial<Start> = {}) {
  const ports = { httpPort: http.port, plainHttpPort: plainHttp.port, sinkPort: sink.port };
  running = await startContender(contender, {
    routes: await routesTo(ports, kind),
    connections: CONNECTIONS,
    ...more,
  });
  return running;
}

/** One request, one answer; both sides must have got what the other sent. The node ends first: nginx knows no half-close by default. */
async function exchange(front: Peer, back: Peer): Promise<void> {
  await front.send('question');
  expect((await back.recv(8)).toString()).toBe('question');
  await back.send('answer');
  await back.fin();
  expect((await front.recvAll()).toString()).toBe('answer');
  await front.fin();
  expect(await back.recvEnd()).toBe('fin');
}

for (const contender of CONTENDERS) {
  const why = contender.unavailable();
  describe.skipIf(why !== undefined)(`${contender.name}${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
    for (const kind of contender.headers.filter((it) => it !== 'none')) {
      test(`sends the header ${kind} and then the client's bytes`, async () => {
        const { httpPort, sinkPort } = await start(contender, kind);
        for (const [port, listener] of [
          [httpPort, http],
          [sinkPort, sink],
        ] as const) {
          const front = await Peer.connect({ host: LOOPBACK_IPV4, port });
          const back = await listener.accept();
          const header = await back.readProxyHeader();
          expect(header).toMatchObject({
            version: kind === 'v1' ? 1 : 2,
            command: 'PROXY',
            sourceAddress: front.local.address,
            sourcePort: front.local.port,
            destinationAddress: LOOPBACK_IPV4,
            destinationPort: port,
          });
          expect(hasValidChecksum(header)).toBe(kind === 'v2+crc32c');
          await exchange(front, back);
        }
      });
    }

    test("without a header sends the client's bytes and nothing else", async () => {
      const { httpPort } = await start(contender, 'none');
      const front = await Peer.connect({ host: LOOPBACK_IPV4, port: httpPort });
      await exchange(front, await plainHttp.accept());
    });

    test('set up for big streams does the same job', async () => {
      const { httpPort } = await start(contender, 'none', { bigStreams: true });
      const front = await Peer.connect({ host: LOOPBACK_IPV4, port: httpPort });
      await exchange(front, await plainHttp.accept());
    });

    test('starts as many workers as it is told, or all that it can have, on all CPUs', async () => {
      const workers = Math.min(2, contender.workersMax);
      const { pid, httpPort } = await start(contender, contender.headers[0], { workers, isPinned: false });
      if (workers > 1) expect(workersOf(contender, pid, httpPort)).toBe(workers);
      expect(cpusOf(pid)).toBe(cpusOf(process.pid));
      const front = await Peer.connect({ host: LOOPBACK_IPV4, port: httpPort });
      const back = await http.accept();
      await back.readProxyHeader();
      await exchange(front, back);
    });

    test('with one worker is bound to one CPU', async () => {
      const { pid } = await start(contender);
      expect(cpusOf(pid)).toBe(whyNotPinned() === undefined ? '0' : cpusOf(process.pid));
    });

    test('says which address is in use', async () => {
      const ports = { httpPort: http.port, plainHttpPort: plainHttp.port, sinkPort: sink.port };
      const routes = await routesTo(ports, contender.headers[0]);
      const squatter = createServer().listen({ host: '0.0.0.0', port: routes[0]?.frontPort ?? 0 });
      await once(squatter, 'listening');
      try {
        const failure = startContender(contender, { routes, connections: CONNECTIONS });
        const ports = routes.map(({ frontPort }) => frontPort).join(', ');
        await expect(failure).rejects.toThrow(
          `${contender.name} does not start: address already in use: another program listens on one of its ports (${ports})`,
        );
      } finally {
        squatter.close();
      }
    });

    test('passes a reset on, and its end during a measurement is noticed', async () => {
      const { httpPort, program } = await start(contender);
      const front = await Peer.connect({ host: LOOPBACK_IPV4, port: httpPort });
      const back = await http.accept();
      await back.readProxyHeader();
      front.rst();
      await back.recvEnd();
      program.killGroup();
      await program.exit;
      const stopped = running?.stop();
      running = undefined;
      await expect(stopped).rejects.toThrow('it ended during the measurement');
    });
  });
}

test('the balancer tells of each ended session where it is asked to', async () => {
  const { httpPort, logsSessions, endedSessions } = await start(balancer, 'v2', { logsSessions: true });
  expect(logsSessions).toBe(true);
  const front = await Peer.connect({ host: LOOPBACK_IPV4, port: httpPort });
  const back = await http.accept();
  await back.readProxyHeader();
  await exchange(front, back);
  await eventually('the line of the session', () => endedSessions().length === 1);
  expect(endedSessions()).toMatchObject([{ shard: 0, bytes_from_client: 8, bytes_to_client: 6, port: httpPort }]);
});

function cpusOf(pid: number): string | undefined {
  return readFileSync(`/proc/${pid}/status`, 'utf8').match(/^Cpus_allowed_list:\s+(\S+)$/m)?.[1];
}

/** Each has its own way to be several: sockets, threads, processes. */
function workersOf({ name }: Contender, pid: number, port: number): number {
  if (name === 'haproxy') return readdirSync(`/proc/${pid}/task`).length;
  if (name === 'nginx') return processTree(pid).length - 1;
  return tcpSocketsOf(pid).filter(({ local, listening }) => listening && local.port === port).length;
}

/** Over the whole header with the checksum's own bytes as zeros (PROXY protocol, section 2.2.2). */
function hasValidChecksum({ version, bytes }: ProxyHeader): boolean {
  const at = 16 + (bytes[13] === 0x11 ? 12 : 36);
  if (version !== 2 || bytes.length < at + 7 || bytes[at] !== TLV_CRC32C) return false;
  const sum = bytes.readUInt32BE(at + 3);
  bytes.writeUInt32BE(0, at + 3);
  return sum === crc32c(bytes);
}

/** Bit by bit (RFC 9260, appendix A), so that it shares no table with what is tested. */
function crc32c(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}
