// HAProxy with one thread (more where a scenario asks for it): kernel splicing, no logs, and its own defaults for everything else.
// HAPROXY_BIN chooses another build than Debian's.
//
// Measured with 2.6 and left at their defaults, because they changed nothing: tune.pipesize, tune.fd.edge-triggered,
// tcp-smart-connect, tcp-smart-accept.

import type { Contender, HeaderKind, Route } from '../contender.ts';
import { versionOf } from '../machine.ts';
import { chosenProgram, whyNotProgram } from './program.ts';

const VARIABLE = 'HAPROXY_BIN';
const HAPROXY = chosenProgram(VARIABLE, '/usr/sbin/haproxy');
/** HAProxy counts threads in the bits of one machine word. */
const THREADS_MAX = 64;

const SENDS: Readonly<Record<HeaderKind, string>> = {
  none: '',
  v1: ' send-proxy',
  v2: ' send-proxy-v2',
  'v2+crc32c': ' send-proxy-v2 proxy-v2-options crc32c',
};

/**
 * `splice-auto` leaves it to HAProxy, and 2.6 then copied nearly every byte of a stream: 0.9 s/GB where splicing always took 0.23. But
 * splicing always made a small request a fifth dearer, so each scenario gets what is better for HAProxy in it.
 */
const SPLICE_WHERE_IT_PAYS = '  option splice-auto';
const SPLICE_ALWAYS = '  option splice-request\n  option splice-response';

export const haproxy: Contender = {
  name: 'haproxy',
  headers: ['v2', 'v1', 'none', 'v2+crc32c'],
  workersMax: THREADS_MAX,
  unavailable: () => whyNotProgram(HAPROXY, VARIABLE, 'haproxy'),
  version: () => versionOf(HAPROXY, ['-v']),
  configuration: ({ routes, connections, workers, bigStreams }) => ({
    file: 'haproxy.cfg',
    text: `global
  nbthread ${workers}
  maxconn ${connections}
defaults
  mode tcp
  maxconn ${connections}
${bigStreams === true ? SPLICE_ALWAYS : SPLICE_WHERE_IT_PAYS}
  timeout connect 5s
  timeout client 1h
  timeout server 1h
${routes.map(listenText).join('')}`,
  }),
  command: (file) => ({ command: HAPROXY, args: ['-db', '-f', file] }),
};

function listenText({ label, frontPort, nodePort, header }: Route): string {
  return `listen ${label}
  bind *:${frontPort}
  server node 127.0.0.1:${nodePort}${SENDS[header]}
`;
}
