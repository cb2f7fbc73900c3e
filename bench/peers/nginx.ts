// nginx's stream module with one worker process (more where a scenario asks for it). It sends PROXY v1, because it knows no other.
// NGINX_BIN chooses another build than Debian's; the nginx that serves as the node behind everything stays Debian's.
// proxy_half_close stays at its default, off: an answer is then cut when its client has ended its own direction, which the others
// never do, but no scenario asks for that, and turning it on made nothing cheaper.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { NGINX, NGINX_STREAM_MODULE } from '../../testing/servers/nginx.ts';
import type { Contender, Job, Route } from '../contender.ts';
import { versionOf } from '../machine.ts';
import { chosenProgram, whyNotProgram } from './program.ts';

const VARIABLE = 'NGINX_BIN';
const PROGRAM = chosenProgram(VARIABLE, NGINX);
const PACKAGES = 'nginx libnginx-mod-stream';

/**
 * nginx copies everything, through one buffer per direction; its manual recommends no size. Measured with eight streams: 0.86 s/GB with
 * the default 16k, 0.50 with 64k, 0.43 with 256k. Small requests did not care.
 */
const BIG_BUFFER = '    proxy_buffer_size 256k;\n';

export const nginx: Contender = {
  name: 'nginx',
  headers: ['v1', 'none'],
  workersMax: Number.POSITIVE_INFINITY,
  unavailable: () => whyNotProgram(PROGRAM, VARIABLE, PACKAGES) ?? whyNoStream(),
  version: () => versionOf(PROGRAM, ['-v']),
  configuration: (job) => ({ file: 'nginx.conf', text: configurationText(job) }),
  command: (file, { directory }) => ({ command: PROGRAM, args: ['-p', directory, '-e', 'stderr', '-c', file] }),
};

function configurationText(job: Job): string {
  const { routes, connections, workers, directory } = job;
  const module = streamModule();
  return `${module === '' ? '' : `load_module ${module};\n`}daemon off;
${process.getuid?.() === 0 ? 'user root;\n' : ''}worker_processes ${workers};
worker_rlimit_nofile ${2 * connections + 64};
pid ${directory}/nginx.pid;
error_log stderr warn;
events { worker_connections ${2 * connections}; }
stream {
  access_log off;
${routes.map((route) => serverText(route, job)).join('')}}
`;
}

/** `reuseport` gives each worker a socket of its own; without it several are woken for one connection. */
function serverText({ frontPort, nodePort, header }: Route, { workers, bigStreams }: Job): string {
  return `  server {
    listen ${frontPort} backlog=4096${workers > 1 ? ' reuseport' : ''};
    proxy_pass 127.0.0.1:${nodePort};
    proxy_protocol ${header === 'none' ? 'off' : 'on'};
    proxy_connect_timeout 5s;
    proxy_timeout 1h;
${bigStreams === true ? BIG_BUFFER : ''}  }
`;
}

let module: string | undefined;

/** The file to load; empty where stream is built in; undefined where this nginx has none. */
function streamModule(): string | undefined {
  module ??= PROGRAM === NGINX ? NGINX_STREAM_MODULE : moduleOfOtherBuild();
  return module;
}

/** What `nginx -V` says that it was configured with. */
function moduleOfOtherBuild(): string | undefined {
  const { stderr } = spawnSync(PROGRAM, ['-V'], { encoding: 'utf8' });
  const argument = (name: string) => stderr.match(new RegExp(`--${name}=(\\S+)`))?.[1];
  if (/--with-stream(\s|$)/.test(stderr)) return '';
  if (argument('with-stream') !== 'dynamic') return undefined;
  const prefix = argument('prefix') ?? '/usr/local/nginx';
  return resolve(prefix, argument('modules-path') ?? 'modules', 'ngx_stream_module.so');
}

function whyNoStream(): string | undefined {
  const file = streamModule();
  if (file === undefined) return `${VARIABLE}=${PROGRAM} was built without the stream module`;
  if (file !== '' && !existsSync(file))
    return `its stream module ${file} is missing (Debian: apt-get install ${PACKAGES})`;
  return undefined;
}
