// Our own balancer, started the way a user starts it. One shard; everything else at its defaults.

import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Contender } from '../contender.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const MAIN = resolve(ROOT, 'cli/main.ts');

export const balancer: Contender = {
  name: 'balancer',
  proxyVersion: 'v2',
  unavailable: () => (existsSync(MAIN) ? undefined : 'cli/main.ts is missing'),
  version() {
    const { version }: { version: string } = JSON.parse(readFileSync(resolve(ROOT, 'package.json'), 'utf8'));
    return `balancer ${version}`;
  },
  configuration: ({ routes }) => ({
    file: 'balancer.yaml',
    text: `nodebalancers:
  - label: bench
    ipv4: 0.0.0.0
    configs:
${routes
  .map(
    ({ label, frontPort, nodePort }) => `      - port: ${frontPort}
        proxy_protocol: v2
        nodes:
          - { label: ${label}, address: "127.0.0.1:${nodePort}" }
`,
  )
  .join('')}`,
  }),
  command: (file) => ({
    command: resolve(ROOT, 'bin/balancer.js'),
    args: ['run', '-f', file],
    env: { BALANCER_WORKERS: '1' },
  }),
  readyPattern: /\bready\b/,
};
