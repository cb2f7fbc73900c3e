// Moves big streams and counts every byte: `bulk-client.ts down|up PORT STREAMS BYTES`. It says `ready`, waits for a line
// on stdin, so that starting it is not measured, and answers with one line of JSON.

import { Buffer } from 'node:buffer';
import { connect } from 'node:net';

const BLOCK_BYTES = 1024 * 1024;
const LENGTH_BYTES = 8;
const block = Buffer.alloc(BLOCK_BYTES, 0x78);

/** Fetches /big; resolves with the bytes of its body. */
function down(port: number, expected: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let head = '';
    let body = 0;
    let inHead = true;
    const take = (count: number, buffer: Uint8Array): boolean => {
      if (inHead) {
        head += Buffer.from(buffer.buffer, buffer.byteOffset, count).toString('latin1');
        const end = head.indexOf('\r\n\r\n');
        if (end < 0) return true;
        if (!head.startsWith('HTTP/1.1 200')) socket.destroy(new Error(head.slice(0, end)));
        inHead = false;
        body = head.length - end - 4;
      } else body += count;
      if (body >= expected) socket.end();
      return true;
    };
    const socket = connect({
      host: '127.0.0.1',
      port,
      onread: { buffer: new Uint8Array(BLOCK_BYTES), callback: take },
    });
    socket.once('error', reject);
    socket.once('close', () => resolve(body));
    socket.write('GET /big HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n');
  });
}

/** Sends `bytes` to the sink; resolves with what the sink says it got. */
function up(port: number, bytes: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port });
    const parts: Buffer[] = [];
    let left = bytes;
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeBigUInt64BE(BigInt(bytes));
    const next = (): void => {
      if (left === 0) return;
      const part = left >= BLOCK_BYTES ? block : block.subarray(0, left);
      left -= part.length;
      socket.write(part, next);
    };
    socket.once('error', reject);
    socket.on('data', (part: Buffer) => {
      parts.push(part);
      const answer = Buffer.concat(parts);
      if (answer.length < LENGTH_BYTES) return;
      resolve(Number(answer.readBigUInt64BE(0)));
      socket.end();
    });
    socket.once('close', () => reject(new Error('closed before the sink answered')));
    socket.write(length, next);
  });
}

const [direction, port, streams, bytes] = process.argv.slice(2);
process.stdout.write('ready\n');
process.stdin.once('data', async () => {
  const transfer = direction === 'up' ? up : down;
  const start = process.hrtime.bigint();
  const moved = await Promise.all(Array.from({ length: Number(streams) }, () => transfer(Number(port), Number(bytes))));
  const microseconds = Number(process.hrtime.bigint() - start) / 1000;
  process.stdout.write(`${JSON.stringify({ moved, microseconds })}\n`);
  process.stdin.destroy();
});
