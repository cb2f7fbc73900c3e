// nginx's stream module with one worker. It sends PROXY v1, because this nginx knows no other. Buffer sizes are its
// defaults: larger ones would cost it the memory of idle connections.

import { existsSync } from 'node:fs';
import { NGINX, NGINX_STREAM_MODULE } from '../../tests/support/servers/nginx.ts';
import type { Contender } from '../contender.ts';
import { versionOf } from '../machine.ts';

export const nginx: Contender = {
  name: 'nginx',
  proxyVersion: 'v1',
  unavailable: () =>
    existsSync(NGINX) && existsSync(NGINX_STREAM_MODULE)
      ? undefined
      : 'the Debian packages nginx and libnginx-mod-stream are not installed',
  version: () => versionOf(NGINX, ['-v']),
  configuration: ({ routes, connections, directory }) => ({
    file: 'nginx.conf',
    text: `load_module ${NGINX_STREAM_MODULE};
daemon off;
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes 1;
worker_rlimit_nofile ${2 * connections + 64};
pid ${directory}/nginx.pid;
error_log stderr warn;
events { worker_connections ${2 * connections}; }
stream {
  access_log off;
${routes
  .map(
    ({ frontPort, nodePort }) => `  server {
    listen ${frontPort} backlog=4096;
    proxy_pass 127.0.0.1:${nodePort};
    proxy_protocol on;
    proxy_connect_timeout 5s;
    proxy_timeout 1h;
  }
`,
  )
  .join('')}}
`,
  }),
  command: (file, { directory }) => ({ command: NGINX, args: ['-p', directory, '-e', 'stderr', '-c', file] }),
};
