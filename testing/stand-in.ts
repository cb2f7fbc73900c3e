// HAProxy in the balancer's place, for checking the tests themselves: the same configuration, as HAProxy says it.
// Only what end-to-end tests of the relay need; it never takes part in a normal run.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BalancerSpec } from './balancer-spec.ts';
import { hostPort } from './ports.ts';
import { HAPROXY } from './servers/haproxy.ts';
import { listens } from './sockets.ts';

export interface StandIn {
  name: string;
  command: string;
  args: string[];
  ready(pid: number): boolean;
}

const SEND = { none: '', v1: ' send-proxy', v2: ' send-proxy-v2' } as const;

/** Set when the tests shall run against something else than this project's own binary. */
export function standInCommand(spec: BalancerSpec, directory: string): StandIn | undefined {
  const subject = process.env.BALANCER_TEST_SUBJECT;
  if (subject === undefined || subject === '' || subject === 'balancer') return undefined;
  if (subject !== 'haproxy') throw new Error(`BALANCER_TEST_SUBJECT: ${subject}, expected balancer or haproxy`);

  const lines = [
    'defaults',
    '  mode tcp',
    '  maxconn 8000',
    '  timeout client 60s',
    '  timeout connect 5s',
    '  timeout server 60s',
  ];
  const binds: { host: string; port: number }[] = [];
  for (const { ipv4 = '0.0.0.0', ipv6, configs } of spec.nodebalancers) {
    for (const { port, proxy_protocol = 'none', nodes } of configs) {
      lines.push(`listen port-${port}-${binds.length}`);
      for (const host of ipv6 === undefined ? [ipv4] : [ipv4, ipv6]) {
        binds.push({ host, port });
        lines.push(`  bind ${hostPort(host, port)}${host.includes(':') ? ' v6only' : ''}`);
      }
      for (const [index, { address }] of nodes.entries()) {
        lines.push(`  server node-${index} ${address}${SEND[proxy_protocol]}`);
      }
    }
  }
  const file = join(directory, 'stand-in.cfg');
  writeFileSync(file, `${lines.join('\n')}\n`);
  return {
    name: 'haproxy in the balancer’s place',
    command: HAPROXY,
    args: ['-db', '-f', file],
    ready: (pid) => binds.every(({ port }) => listens(pid, port)),
  };
}
