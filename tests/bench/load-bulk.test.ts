// The generator of big streams and the sink: every byte is counted at both ends, a stream that is cut short ends in an error, and
// uploads may begin with any PROXY header.

import { Buffer } from 'node:buffer';
import { createServer, type Server } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { startBulk } from '../../bench/load/bulk.ts';
import { startLoadProgram } from '../../bench/node.ts';
import { Peer } from '../support/peer.ts';
import { freePort, LOOPBACK_IPV4 } from '../support/ports.ts';
import type { Program } from '../support/process.ts';

const BYTES = 3_000_000;
const V1 = Buffer.from('PROXY TCP4 192.0.2.1 192.0.2.2 1000 80\r\n');
const V2 = Buffer.from('0d0a0d0a000d0a515549540a2111000c7f00004d7f00000103e80050', 'hex');
const V2_WITH_TLV = Buffer.from('0d0a0d0a000d0a515549540a211100137f00004d7f00000103e8005003000400000000', 'hex');

let server: Server | undefined;
let sink: Program | undefined;

afterEach(async () => {
  server?.closeAllConnections();
  server?.close();
  await sink?.stop();
  server = undefined;
  sink = undefined;
});

/** A server of /big. @param served how much it really sends */
function serveBig(served = BYTES): Promise<number> {
  const big = createServer((_request, response) => {
    response.writeHead(200, { 'content-length': BYTES });
    response.write(Buffer.alloc(served, 'x'), () => {
      if (served < BYTES) response.socket?.end();
      else response.end();
    });
  });
  server = big;
  return new Promise((resolve) => {
    big.listen(0, LOOPBACK_IPV4, () => {
      const address = big.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}

async function startSink(): Promise<number> {
  const port = await freePort();
  sink = await startLoadProgram('sink', 'sink.ts', [String(port)]);
  await sink.waitForOutput(/^ready$/m);
  return port;
}

describe('streams', () => {
  test('down, up and both ways: each moves what it was told to', async () => {
    const ports = { httpPort: await serveBig(), sinkPort: await startSink(), bytesPerStream: BYTES };
    for (const [downStreams, upStreams] of [
      [2, 0],
      [0, 3],
      [1, 1],
    ] as const) {
      const streams = await startBulk({ ...ports, downStreams, upStreams });
      streams.go();
      const { down, up, microseconds } = await streams.finished();
      expect({ down, up }).toEqual({ down: Array(downStreams).fill(BYTES), up: Array(upStreams).fill(BYTES) });
      expect(microseconds).toBeGreaterThan(0);
    }
  });

  test('again and again until told to stop: whole streams only', async () => {
    const ports = { httpPort: await serveBig(), sinkPort: await startSink(), bytesPerStream: BYTES };
    const streams = await startBulk({ ...ports, downStreams: 2, upStreams: 1, repeat: true });
    streams.go();
    streams.stop();
    const { down, up } = await streams.finished();
    for (const moved of [...down, ...up]) {
      expect(moved).toBeGreaterThan(0);
      expect(moved % BYTES).toBe(0);
    }
  });

  test('an answer that is cut short is an error', async () => {
    const httpPort = await serveBig(BYTES - 1);
    const streams = await startBulk({ httpPort, sinkPort: 1, downStreams: 1, upStreams: 0, bytesPerStream: BYTES });
    streams.go();
    await expect(streams.finished()).rejects.toThrow('ended before its time');
  });

  test('nobody there: an error that says so', async () => {
    const ports = { httpPort: await freePort(), sinkPort: 1, downStreams: 1, upStreams: 0, bytesPerStream: BYTES };
    const streams = await startBulk(ports);
    streams.go();
    await expect(streams.finished()).rejects.toThrow('ECONNREFUSED');
  });
});

describe('the sink', () => {
  test.for([
    ['no header', Buffer.alloc(0)],
    ['v1', V1],
    ['v2', V2],
    ['v2 with a TLV', V2_WITH_TLV],
  ] as const)('counts what follows %s', async ([, header]) => {
    const port = await startSink();
    const peer = await Peer.connect({ host: LOOPBACK_IPV4, port });
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(100_000n);
    // Byte by byte as far as the head goes: it may arrive in any pieces.
    for (const byte of Buffer.concat([header, length])) await peer.send(Buffer.of(byte));
    await peer.send(Buffer.alloc(100_000, 'x'));
    expect((await peer.recv(8)).readBigUInt64BE()).toBe(100_000n);
    peer.destroy();
  });
});
