// The volume tests must be able to fail: here they run through relays that are broken on purpose, and each fault has to
// be noticed. An honest relay passes, so that it is the fault that is seen.

import { Buffer } from 'node:buffer';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { freePorts, LOOPBACK_IPV4 } from '../../testing/ports.ts';
import type { Program } from '../../testing/process.ts';
import { type Outcome, runVolume, startVolumeNode } from './volume/run.ts';

/** What a relay may get wrong; all optional, none is an honest relay. */
interface Faults {
  up?: (chunk: Buffer) => Buffer;
  down?: (chunk: Buffer) => Buffer;
  sourcePort?: (port: number) => number;
}

let node: Program;
let relay: Server | undefined;
let frontPort: number;
let nodePort: number;

beforeAll(async () => {
  [frontPort = 0, nodePort = 0] = await freePorts(2);
  node = await startVolumeNode(nodePort);
});

afterEach(() => {
  relay?.close();
});

afterAll(() => node?.stop());

function header(front: Socket, sourcePort: number): Buffer {
  const bytes = Buffer.from('0d0a0d0a000d0a515549540a2111000c7f0000017f00000100000000', 'hex');
  bytes.writeUInt16BE(sourcePort, 24);
  bytes.writeUInt16BE(front.localPort ?? 0, 26);
  return bytes;
}

async function runThrough(faults: Faults): Promise<Outcome> {
  const same = (chunk: Buffer) => chunk;
  relay = createServer({ allowHalfOpen: true }, (front) => {
    const back = connect({ host: LOOPBACK_IPV4, port: nodePort, allowHalfOpen: true });
    const port = front.remotePort ?? 0;
    back.write(header(front, faults.sourcePort?.(port) ?? port));
    front.on('data', (chunk: Buffer) => back.write((faults.up ?? same)(chunk))).on('end', () => back.end());
    back.on('data', (chunk: Buffer) => front.write((faults.down ?? same)(chunk))).on('end', () => front.end());
    front.on('error', () => back.destroy()).on('close', () => back.destroy());
    back.on('error', () => front.destroy()).on('close', () => front.destroy());
  });
  const server = relay;
  await new Promise<void>((resolve) => server.listen(frontPort, LOOPBACK_IPV4, resolve));
  const sizes = { bytesUp: 300_000, bytesDown: 300_000, vary: false, together: false };
  return runVolume(node, { port: frontPort, sessions: 3, atOnce: 1, ...sizes });
}

/** Bends one chunk, once: the third that passes, so that preamble and `R` are behind. */
function once(bend: (chunk: Buffer) => Buffer): (chunk: Buffer) => Buffer {
  let chunks = 0;
  return (chunk) => (++chunks === 3 ? bend(chunk) : chunk);
}

const flipOneBit = (chunk: Buffer): Buffer => {
  const copy = Buffer.from(chunk);
  copy[7] = (copy[7] ?? 0) ^ 1;
  return copy;
};
const loseOneByte = (chunk: Buffer): Buffer => chunk.subarray(0, -1);
const doubleOneByte = (chunk: Buffer): Buffer => Buffer.concat([chunk, chunk.subarray(-1)]);
const swapTwoHalves = (chunk: Buffer): Buffer => {
  const middle = chunk.length >> 1;
  return Buffer.concat([chunk.subarray(middle), chunk.subarray(0, middle)]);
};

test('an honest relay passes', async () => {
  const { atClient, atNode } = await runThrough({});
  expect(atClient.problems).toEqual([]);
  expect(atNode).toEqual(atClient);
});

for (const [what, bend] of Object.entries({ flipOneBit, loseOneByte, doubleOneByte, swapTwoHalves })) {
  for (const direction of ['up', 'down'] as const) {
    test(`${what} on the way ${direction} is seen`, async () => {
      const { atClient, atNode } = await runThrough({ [direction]: once(bend) });
      expect(atClient.problemCount + atNode.problemCount).toBeGreaterThan(0);
    });
  }
}

test('a header with somebody else’s port is seen', async () => {
  const { atNode } = await runThrough({ sourcePort: (port) => port ^ 1 });
  expect(atNode.problems[0]).toMatch(/source port \d+, the client’s is \d+/);
});
