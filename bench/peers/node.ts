// A plain relay over node:net, which is what one writes when there is no balancer: it shows what leaving Node.js's streams behind
// is worth. The program itself is node-relay.ts; it has one thread, and another process is not what one would write.

import { resolve } from 'node:path';
import type { Contender } from '../contender.ts';

const PROGRAM = resolve(import.meta.dirname, 'node-relay.ts');

export const node: Contender = {
  name: 'node',
  headers: ['v2', 'v1', 'none'],
  workersMax: 1,
  unavailable: () => undefined,
  version: () => `Node.js ${process.version}, net.Socket and pipe()`,
  configuration: ({ routes }) => ({
    file: 'relay.json',
    text: `[\n${routes.map((route) => `  ${JSON.stringify(route)}`).join(',\n')}\n]\n`,
  }),
  command: (file) => ({
    command: process.execPath,
    args: ['--disable-warning=ExperimentalWarning', PROGRAM, file],
  }),
  readyPattern: /\bready\b/,
};
