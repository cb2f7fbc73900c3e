// Our own balancer, started the way a user starts it: from the tree that lies at `root`, which may be another revision's. Everything is
// at its defaults but the number of shards and what BALANCER_* variables of the caller's say; those are part of the command line
// that the report shows, so that no run with other settings passes for one without.

import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Contender, HeaderKind, Job, Route } from '../contender.ts';

const ROOT = resolve(import.meta.dirname, '../..');
/** Not the shell beside it: older trees have none, and both become the same process. */
const LAUNCHER = 'bin/balancer.js';
const SESSION_LOG = 'workers/session-log-writer.ts';
const CHECKSUM_FIELD = 'proxy_protocol_crc32c';
/** Came together with health checks, stickiness and the throttle, which a configuration could name long before they were served. */
const POOL_FIELD = 'queue_timeout';

/** The tests' own variables have the balancer's prefix, and it warns about names that it does not know. */
const TEST_PREFIX = 'BALANCER_TEST_';

/** The balancer of a tree: this one's, or another revision's. */
export function balancerAt(root: string, name: string, revision?: string): Contender {
  return {
    name,
    root,
    headers: headersOf(root),
    workersMax: Number.POSITIVE_INFINITY,
    keepsSessionLog: existsSync(resolve(root, SESSION_LOG)),
    unavailable: () => (existsSync(resolve(root, LAUNCHER)) ? undefined : `${LAUNCHER} is missing`),
    version: () => `${versionOf(root)}${revision === undefined ? '' : ` (${revision})`}`,
    hasPoolFeatures: knows(root, POOL_FIELD),
    configuration: ({ routes, poolFeatures = false }) => ({
      file: 'balancer.yaml',
      text: configurationText(routes, poolFeatures),
    }),
    command: (file, job) => ({
      command: resolve(root, LAUNCHER),
      args: ['run', '-f', file],
      env: environment(job),
    }),
    readyPattern: /\bready\b/,
  };
}

export const balancer: Contender = balancerAt(ROOT, 'balancer');

/** A tree whose configuration does not know the checksum does not send it. */
function headersOf(root: string): Contender['headers'] {
  return ['v2', 'v1', 'none', ...(knows(root, CHECKSUM_FIELD) ? ['v2+crc32c' as const] : [])];
}

function knows(root: string, field: string): boolean {
  const model = resolve(root, 'core/config/model.ts');
  return existsSync(model) && readFileSync(model, 'utf8').includes(field);
}

function versionOf(root: string): string {
  const { version }: { version: string } = JSON.parse(readFileSync(resolve(root, 'package.json'), 'utf8'));
  return `balancer ${version}`;
}

function configurationText(routes: readonly Route[], poolFeatures: boolean): string {
  return `nodebalancers:
  - label: bench
    ipv4: 0.0.0.0
${poolFeatures ? '    client_conn_throttle: 20\n' : ''}    configs:
${routes.map((route) => portText(route, poolFeatures)).join('')}`;
}

const POOL_TEXT = `        stickiness: table
        check: connection
        check_interval: 2
        check_timeout: 1
`;

function portText({ label, frontPort, nodePort, header }: Route, poolFeatures: boolean): string {
  return `      - port: ${frontPort}
        ${headerText(header)}
${poolFeatures ? POOL_TEXT : ''}        nodes:
          - { label: ${label}, address: "127.0.0.1:${nodePort}" }
`;
}

function headerText(header: HeaderKind): string {
  if (header !== 'v2+crc32c') return `proxy_protocol: ${header}`;
  return `proxy_protocol: v2\n        ${CHECKSUM_FIELD}: true`;
}

function environment({ directory, workers, sessionLog }: Job): Record<string, string> {
  const settings: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined && name.startsWith('BALANCER_') && !name.startsWith(TEST_PREFIX)) settings[name] = value;
  }
  settings.BALANCER_WORKERS = String(workers);
  // No peer has a control plane: the comparison is between data paths.
  settings.BALANCER_ADMIN_ADDRESS = 'off';
  settings.BALANCER_DATA_DIR = directory;
  if (sessionLog !== undefined) settings.BALANCER_ACCESS_LOG = sessionLog;
  return settings;
}
