// The node of the volume tests, a process of its own: `node.ts PORT`. Demands a v2 header whose source port is the client's
// own. A line on stdin asks for its totals.

import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { createServer, type Socket } from 'node:net';
import {
  addProblem,
  decodePreamble,
  newTotals,
  PREAMBLE_BYTES,
  type Preamble,
  READY,
  writeStream,
} from './protocol.ts';
import { ByteStream } from './stream.ts';

/** v2 with IPv4 addresses: 16 fixed bytes, 12 of addresses. */
const HEADER_BYTES = 28;
const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a2111000c', 'hex');
const CLIENT = Buffer.from([127, 0, 0, 1]);

const totals = newTotals();

function serve(socket: Socket): void {
  let head: Buffer | undefined = Buffer.alloc(0);
  let preamble: Preamble | undefined;
  let received = 0;
  const up = createHash('sha256');
  const sent = Promise.withResolvers<void>();

  const take = (chunk: Buffer): void => {
    received += chunk.length;
    totals.bytesUp += chunk.length;
    up.update(chunk);
  };
  socket.on('error', (error) => addProblem(totals, `node: ${error.message}`));
  socket.on('data', (chunk: Buffer) => {
    if (head === undefined) return take(chunk);
    head = Buffer.concat([head, chunk]);
    if (head.length < HEADER_BYTES + PREAMBLE_BYTES) return;
    preamble = decodePreamble(head.subarray(HEADER_BYTES));
    const wrong = whatIsWrong(head, preamble);
    if (wrong !== undefined) {
      addProblem(totals, wrong);
      socket.destroy();
      return;
    }
    take(head.subarray(HEADER_BYTES + PREAMBLE_BYTES));
    head = undefined;
    const { seed, bytesDown } = preamble;
    socket.write(Buffer.of(READY));
    writeStream(socket, new ByteStream(`down ${seed}`, bytesDown)).then(sent.resolve, sent.reject);
  });
  socket.on('end', async () => {
    if (preamble === undefined) {
      // A connection that says nothing is somebody looking whether we listen.
      if (head !== undefined && head.length > HEADER_BYTES) addProblem(totals, 'FIN within the preamble');
      socket.end();
      return;
    }
    if (received !== preamble.bytesUp) addProblem(totals, `${received} bytes up, announced ${preamble.bytesUp}`);
    await sent.promise;
    totals.sessions++;
    totals.bytesDown += preamble.bytesDown;
    socket.end(up.digest());
  });
}

function whatIsWrong(head: Buffer, preamble: Preamble): string | undefined {
  if (!head.subarray(0, SIGNATURE.length).equals(SIGNATURE)) return `header ${head.toString('hex', 0, HEADER_BYTES)}`;
  if (!head.subarray(16, 20).equals(CLIENT)) return `source address ${head.toString('hex', 16, 20)}`;
  const port = head.readUInt16BE(24);
  return port === preamble.clientPort ? undefined : `source port ${port}, the client’s is ${preamble.clientPort}`;
}

const server = createServer({ allowHalfOpen: true, noDelay: true }, serve);
server.listen({ host: '127.0.0.1', port: Number(process.argv[2]), backlog: 4096 }, () => {
  process.stdout.write('ready\n');
});
process.stdin.on('data', () => process.stdout.write(`${JSON.stringify(totals)}\n`));
