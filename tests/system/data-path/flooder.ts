// A program that sends and swallows as much as it can on each of its connections, to be killed while it does.

import { type Program, startProgram } from '../../../testing/process.ts';

const FLOODER = `
const net = require('node:net');
const block = Buffer.alloc(65536, 'x');
function flood(socket) {
  const write = () => { while (!socket.destroyed && socket.write(block)); };
  socket.on('drain', write).on('error', () => {}).on('data', () => {});
  write();
}
const [role, port, count] = process.argv.slice(1);
if (role === 'node') net.createServer(flood).listen(Number(port), '127.0.0.1', () => console.log('ready'));
else for (let i = 0; i < Number(count); i++) net.connect(Number(port), '127.0.0.1', function () { flood(this); });
`;

/** @param port where a node listens, or where `count` clients connect */
export function startFlooder(role: 'node' | 'client', port: number, count = 0): Promise<Program> {
  const args = ['-e', FLOODER, role, String(port), String(count)];
  return startProgram({ name: `flooding ${role}`, command: process.execPath, args });
}
