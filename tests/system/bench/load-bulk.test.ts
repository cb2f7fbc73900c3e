// Big streams and the sink: every byte counted at both ends, whichever PROXY header comes first, and nothing incomplete accepted.

import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type BulkLoad, startBulk } from '../../../bench/load/bulk.ts';
import { processTree } from '../../../bench/meters.ts';
import { startLoadProgram } from '../../../bench/node.ts';
import { Peer } from '../../../testing/peer.ts';
import { freePort, LOOPBACK_IPV4 } from '../../../testing/ports.ts';
import type { Program } from '../../../testing/process.ts';

const MIB = 1024 * 1024;
const BYTES = 3 * MIB + 17;

let sink: Program;
let sinkPort: number;
beforeAll(async () => {
  sinkPort = await freePort();
  sink = await startLoadProgram('sink', 'sink.ts', [String(sinkPort)]);
  await sink.waitForOutput(/^ready$/m);
});
afterAll(() => sink.stop());

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A server whose connections do what the script says. @returns its port */
async function serve(script: (socket: Socket) => void): Promise<number> {
  const port = await freePort();
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    script(socket);
  });
  closers.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  await new Promise<void>((resolve) => {
    server.listen({ host: LOOPBACK_IPV4, port }, resolve);
  });
  return port;
}

/** Serves a big file that has `sent` of the `announced` bytes. */
function serveBig(sent: number, announced = sent): Promise<number> {
  return serve((socket) => {
    socket.once('data', () => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${announced}\r\nConnection: close\r\n\r\n`);
      socket.end(Buffer.alloc(sent));
    });
  });
}

/** Children of this process that move streams and have not ended. */
function bulkPrograms(): number {
  const children = processTree(process.pid).slice(1);
  return children.filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('bulk-client.ts')).length;
}

const NONE = { downStreams: 0, upStreams: 0, bytesPerStream: BYTES };

async function move(load: Partial<BulkLoad>) {
  const bulk = await startBulk({ httpPort: sinkPort, sinkPort, ...NONE, ...load });
  bulk.go();
  return bulk.finished();
}

describe('streams', () => {
  test('down, up, and both at once move every byte', async () => {
    const httpPort = await serveBig(BYTES);
    expect(await move({ httpPort, downStreams: 2 })).toMatchObject({ down: [BYTES, BYTES], up: [] });
    expect(await move({ upStreams: 3 })).toMatchObject({ down: [], up: [BYTES, BYTES, BYTES] });
    const { down, up, microseconds } = await move({ httpPort, downStreams: 1, upStreams: 1 });
    expect({ down, up }).toEqual({ down: [BYTES], up: [BYTES] });
    expect(microseconds).toBeGreaterThan(0);
  });

  test('are done as often as wanted, each in a connection of its own', async () => {
    let fetched = 0;
    const httpPort = await serve((socket) => {
      socket.once('data', () => {
        fetched++;
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${BYTES}\r\nConnection: close\r\n\r\n`);
        socket.end(Buffer.alloc(BYTES));
      });
    });
    const { down, up } = await move({ httpPort, downStreams: 2, upStreams: 1, times: 3 });
    expect({ down, up, fetched }).toEqual({ down: [3 * BYTES, 3 * BYTES], up: [3 * BYTES], fetched: 6 });
  });

  test('are told of before their program ends, which costs more than a stream', async () => {
    const before = bulkPrograms();
    const bulk = await startBulk({ ...NONE, httpPort: sinkPort, sinkPort, upStreams: 1 });
    bulk.go();
    expect(await bulk.moved()).toMatchObject({ up: [BYTES] });
    expect(bulkPrograms()).toBe(before + 1);
    expect(await bulk.finished()).toMatchObject({ up: [BYTES] });
    expect(bulkPrograms()).toBe(before);
  });

  test('repeat until they are stopped, and finish what they are at', async () => {
    let fetched = 0;
    let whenSeveral = () => {};
    const several = new Promise<void>((resolve) => {
      whenSeveral = resolve;
    });
    const httpPort = await serve((socket) => {
      socket.once('data', () => {
        if (++fetched === 5) whenSeveral();
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${BYTES}\r\n\r\n`);
        socket.end(Buffer.alloc(BYTES));
      });
    });
    const load = { httpPort, sinkPort, downStreams: 1, upStreams: 1, bytesPerStream: BYTES, repeat: true };
    const bulk = await startBulk(load);
    bulk.go();
    await several;
    bulk.stop();
    const { down, up } = await bulk.finished();
    expect(down).toEqual([fetched * BYTES]);
    expect(up[0] ?? 0).toBeGreaterThanOrEqual(BYTES);
    expect((up[0] ?? 0) % BYTES).toBe(0);
  });

  test('that are told to stop at once move one each', async () => {
    const bulk = await startBulk({ httpPort: sinkPort, sinkPort, ...NONE, upStreams: 2, repeat: true });
    bulk.go();
    bulk.stop();
    expect((await bulk.finished()).up).toEqual([BYTES, BYTES]);
  });
});

describe('rejected is', () => {
  test('a stream that is cut off', async () => {
    const httpPort = await serveBig(BYTES - 1, BYTES);
    await expect(move({ httpPort, downStreams: 1 })).rejects.toThrow(`it ended after ${BYTES - 1} of ${BYTES} bytes`);
  });

  test('a stream of another length than agreed', async () => {
    const httpPort = await serveBig(BYTES + 1);
    await expect(move({ httpPort, downStreams: 1 })).rejects.toThrow(`it ended after ${BYTES + 1} of ${BYTES} bytes`);
  });

  test('an answer that is not 200', async () => {
    const httpPort = await serve((socket) => {
      socket.once('data', () => socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n'));
    });
    await expect(move({ httpPort, downStreams: 1 })).rejects.toThrow('the answer is not 200');
  });

  test('a sink that got fewer bytes', async () => {
    const lying = await serve((socket) => {
      let got = 0;
      socket.on('data', (bytes: Buffer) => {
        got += bytes.length;
        if (got < BYTES + 8) return;
        const count = Buffer.alloc(8);
        count.writeBigUInt64BE(BigInt(BYTES - 1));
        socket.end(count);
      });
    });
    await expect(move({ sinkPort: lying, upStreams: 1 })).rejects.toThrow(
      `the sink got ${BYTES - 1} of ${BYTES} bytes`,
    );
  });

  test('a sink that closes early', async () => {
    const early = await serve((socket) => void socket.once('data', () => socket.end()));
    await expect(move({ sinkPort: early, upStreams: 1 })).rejects.toThrow(/unexpected end after|ECONNRESET|EPIPE/);
  });

  test('a port where nobody listens', async () => {
    const refused = await freePort();
    await expect(move({ sinkPort: refused, upStreams: 1 })).rejects.toThrow(/bulk: .*ECONNREFUSED/);
    await expect(move({ httpPort: refused, downStreams: 1 })).rejects.toThrow(/bulk: .*ECONNREFUSED/);
  });
});

describe('the sink', () => {
  const address = Buffer.from([192, 0, 2, 1, 192, 0, 2, 2, 4, 210, 0, 80]);
  const v2 = (rest: Buffer) =>
    Buffer.concat([Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1'), Buffer.of(0x21, 0x11, 0, rest.length), rest]);

  test.each([
    ['no header', Buffer.alloc(0)],
    ['a v1 header', Buffer.from('PROXY TCP4 192.0.2.1 192.0.2.2 1234 80\r\n')],
    ['a v2 header', v2(address)],
    ['a v2 header with a TLV', v2(Buffer.concat([address, Buffer.of(0x04, 0, 3, 1, 2, 3)]))],
  ])('takes an upload after %s, and ends when the client does', async (_what, header) => {
    const peer = await Peer.connect({ host: LOOPBACK_IPV4, port: sinkPort });
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(BigInt(BYTES));
    // The header by itself first: it need not come together with what follows.
    await peer.send(header);
    await peer.send(length);
    await peer.send(Buffer.alloc(BYTES, 'P'));
    expect((await peer.recv(8)).readBigUInt64BE()).toBe(BigInt(BYTES));
    await peer.fin();
    expect(await peer.recvEnd()).toBe('fin');
    peer.destroy();
  });

  test('resets who sends something else', async () => {
    const peer = await Peer.connect({ host: LOOPBACK_IPV4, port: sinkPort });
    await peer.send('\r\n\r\nsomething else altogether');
    expect(await peer.recvEnd()).toBe('rst');
    peer.destroy();
  });

  test('says who has its port', async () => {
    const second = await startLoadProgram('sink', 'sink.ts', [String(sinkPort)]);
    expect((await second.waitForExit()).code).toBe(1);
    expect(second.stderr).toMatch(
      new RegExp(`^sink: cannot listen on 127.0.0.1:${sinkPort}: EADDRINUSE .*pid ${sink.pid}`),
    );
    expect(second.stderr.trim().split('\n')).toHaveLength(1);
  });
});
