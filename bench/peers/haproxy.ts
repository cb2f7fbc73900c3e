// HAProxy with one thread: what its manual recommends for plain TCP (kernel splicing where it pays), no logs, its own
// defaults for everything else.

import { existsSync } from 'node:fs';
import type { Contender } from '../contender.ts';
import { versionOf } from '../machine.ts';

const HAPROXY = '/usr/sbin/haproxy';

export const haproxy: Contender = {
  name: 'haproxy',
  proxyVersion: 'v2',
  unavailable: () => (existsSync(HAPROXY) ? undefined : 'the Debian package haproxy is not installed'),
  version: () => versionOf(HAPROXY, ['-v']),
  configuration: ({ routes, connections }) => ({
    file: 'haproxy.cfg',
    text: `global
  nbthread 1
  maxconn ${connections}
defaults
  mode tcp
  maxconn ${connections}
  option splice-auto
  option dontlognull
  timeout connect 5s
  timeout client 1h
  timeout server 1h
${routes
  .map(
    ({ label, frontPort, nodePort }) => `listen ${label}
  bind *:${frontPort}
  server node 127.0.0.1:${nodePort} send-proxy-v2
`,
  )
  .join('')}`,
  }),
  command: (file) => ({ command: HAPROXY, args: ['-db', '-f', file] }),
};
