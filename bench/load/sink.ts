// A node for uploads: reads a PROXY header of either version, an 8-byte length, that many bytes, and answers with an
// 8-byte count of what it got. A program of its own: `sink.ts PORT`.

import { Buffer } from 'node:buffer';
import { createServer } from 'node:net';

const LENGTH_BYTES = 8;
const V2_FIXED_BYTES = 16;

/** Length of the PROXY header at the start of `bytes`; undefined while it is incomplete. */
function headerLength(bytes: Buffer): number | undefined {
  if (bytes[0] === 0x0d) {
    return bytes.length < V2_FIXED_BYTES ? undefined : V2_FIXED_BYTES + bytes.readUInt16BE(14);
  }
  const end = bytes.indexOf('\r\n');
  return end < 0 ? undefined : end + 2;
}

const server = createServer({ allowHalfOpen: true }, (socket) => {
  let head: Buffer | undefined = Buffer.alloc(0);
  let wanted = 0;
  let got = 0;
  socket.on('error', () => {});
  socket.on('end', () => socket.end());
  socket.on('data', (chunk: Buffer) => {
    if (head === undefined) got += chunk.length;
    else {
      head = Buffer.concat([head, chunk]);
      const start = headerLength(head);
      if (start === undefined || head.length < start + LENGTH_BYTES) return;
      wanted = Number(head.readBigUInt64BE(start));
      got = head.length - start - LENGTH_BYTES;
      head = undefined;
    }
    if (got < wanted) return;
    const answer = Buffer.alloc(LENGTH_BYTES);
    answer.writeBigUInt64BE(BigInt(got));
    socket.write(answer);
  });
});
server.listen({ host: '127.0.0.1', port: Number(process.argv[2]), backlog: 4096 }, () => {
  process.stdout.write('ready\n');
});
