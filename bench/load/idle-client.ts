// Opens connections that then stay idle: `idle-client.ts PORT`. Each line on stdin is a number of connections to have;
// it answers `open N` once that many have had one whole answer from the node, so that all of the path exists.

import { connect } from 'node:net';
import { createInterface } from 'node:readline';

const AT_ONCE = 64;
const REQUEST = 'GET /small HTTP/1.1\r\nHost: bench\r\n\r\n';

const port = Number(process.argv[2]);
let open = 0;

function openOne(): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port });
    let answer = '';
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      answer += text;
      const end = answer.indexOf('\r\n\r\n');
      const length = answer.match(/^content-length: (\d+)\r$/im)?.[1];
      if (end >= 0 && answer.length >= end + 4 + Number(length)) resolve();
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error(`connection ${open} was closed`)));
    socket.write(REQUEST);
  });
}

for await (const line of createInterface({ input: process.stdin })) {
  const wanted = Number(line);
  while (open < wanted) {
    const step = Math.min(AT_ONCE, wanted - open);
    await Promise.all(Array.from({ length: step }, openOne));
    open += step;
  }
  process.stdout.write(`open ${open}\n`);
}
process.exit(0);
