// The client of the volume tests, a process of its own: `client.ts JSON` with the fields of Job. Prints its totals.

import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { addProblem, DIGEST_BYTES, encodePreamble, newTotals, READY, writeStream } from './protocol.ts';
import { ByteStream } from './stream.ts';

export interface Job {
  port: number;
  sessions: number;
  atOnce: number;
  bytesUp: number;
  bytesDown: number;
  /** Sizes vary from session to session, up to bytesUp and bytesDown, some of them 0. */
  vary: boolean;
  /** Nobody sends its bytes before all `sessions` are connected to the node. */
  together: boolean;
}

/** Primes, so that sizes up and down do not go in step. */
const STEP_UP = 7919;
const STEP_DOWN = 6007;

const totals = newTotals();
const job: Job = JSON.parse(process.argv[2] ?? '{}');
const allReady = Promise.withResolvers<void>();
let ready = 0;

async function runSession(seed: number): Promise<void> {
  const bytesUp = job.vary ? (seed * STEP_UP) % (job.bytesUp + 1) : job.bytesUp;
  const bytesDown = job.vary ? (seed * STEP_DOWN) % (job.bytesDown + 1) : job.bytesDown;
  const socket = connect({ host: '127.0.0.1', port: job.port, allowHalfOpen: true, noDelay: true });
  const received = receive(socket, bytesDown);
  await new Promise<void>((resolve) => socket.once('connect', resolve).once('close', () => resolve()));
  socket.write(encodePreamble({ clientPort: socket.localPort ?? 0, seed, bytesUp, bytesDown }));
  if (job.together) {
    await received.ready;
    if (++ready === job.sessions) allReady.resolve();
    await allReady.promise;
  }
  const up = new ByteStream(`up ${seed}`, bytesUp);
  await writeStream(socket, up);
  socket.end();
  const { digestDown, digestUp, count, end } = await received.done;
  totals.sessions++;
  totals.bytesUp += bytesUp - up.left;
  totals.bytesDown += count;

  const down = new ByteStream(`down ${seed}`, bytesDown);
  while (down.next() !== undefined);
  if (end !== 'fin') addProblem(totals, `session ${seed}: ended by ${end} after ${count} of ${bytesDown} bytes`);
  else if (!digestUp.equals(up.digest())) addProblem(totals, `session ${seed}: bytes up changed`);
  else if (!digestDown.equals(down.digest())) addProblem(totals, `session ${seed}: bytes down changed`);
}

/** Reads `R`, the down bytes, the digest of the up bytes, and the end. */
function receive(socket: Socket, bytesDown: number) {
  const isReady = Promise.withResolvers<void>();
  const done = Promise.withResolvers<{ digestDown: Buffer; digestUp: Buffer; count: number; end: string }>();
  const hash = createHash('sha256');
  const tail: Buffer[] = [];
  let count = 0;
  let end = 'close';
  let sawReady = false;
  socket.on('data', (chunk: Buffer) => {
    let rest = chunk;
    if (!sawReady) {
      if (rest[0] !== READY) addProblem(totals, `first byte ${rest[0]}`);
      sawReady = true;
      isReady.resolve();
      rest = rest.subarray(1);
    }
    const part = rest.subarray(0, bytesDown - count);
    count += part.length;
    hash.update(part);
    if (rest.length > part.length) tail.push(rest.subarray(part.length));
  });
  socket.once('end', () => {
    end = 'fin';
  });
  socket.once('error', (error) => {
    end = error.message;
  });
  socket.once('close', () => {
    isReady.resolve();
    const digestUp = Buffer.concat(tail);
    if (end === 'fin' && digestUp.length !== DIGEST_BYTES)
      addProblem(totals, `${digestUp.length} bytes after the last`);
    done.resolve({ digestDown: hash.digest(), digestUp, count, end });
  });
  return { ready: isReady.promise, done: done.promise };
}

let next = 0;
await Promise.all(
  Array.from({ length: job.atOnce }, async () => {
    while (next < job.sessions) await runSession(next++);
  }),
);
process.stdout.write(`${JSON.stringify(totals)}\n`);
