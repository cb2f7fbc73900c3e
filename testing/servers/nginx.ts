// A real nginx as a node that wants the PROXY header: an HTTP server and a stream server, both on 127.0.0.1 and ::1, both
// answering who the client is. And a small one of which several run at once, that says its own name and can die and come back.

import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, freePorts, hasIpv6, hostPort, LOOPBACK_IPV4, LOOPBACK_IPV6 } from '../ports.ts';
import { type Program, startProgram } from '../process.ts';
import { listens } from '../sockets.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../temporary.ts';

export const NGINX = '/usr/sbin/nginx';
export const NGINX_STREAM_MODULE = '/usr/lib/nginx/modules/ngx_stream_module.so';

export const available = (): boolean => existsSync(NGINX) && existsSync(NGINX_STREAM_MODULE);
export const missing = 'needs the Debian packages nginx and libnginx-mod-stream';

export interface NginxServer {
  program: Program;
  httpPort: number;
  streamPort: number;
  stop(): Promise<void>;
}

/** The five directories that nginx creates at start and that an unprivileged user may only have in its own place. */
export function nginxTemporaryPaths(directory: string): string {
  return ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${directory}/${name}_temp;`)
    .join(' ');
}

export async function startNginx(): Promise<NginxServer> {
  const directory = makeTemporaryDirectory('nginx');
  const [httpPort = 0, streamPort = 0] = await freePorts(2);
  const hosts = (await hasIpv6()) ? [LOOPBACK_IPV4, LOOPBACK_IPV6] : [LOOPBACK_IPV4];
  const listen = (port: number) => hosts.map((host) => `listen ${hostPort(host, port)} proxy_protocol;`).join(' ');
  const trust = 'set_real_ip_from 127.0.0.1; set_real_ip_from ::1;';
  const report =
    'client=$remote_addr $remote_port destination=$proxy_protocol_server_addr $proxy_protocol_server_port ' +
    'peer=$realip_remote_addr $realip_remote_port';
  const file = join(directory, 'nginx.conf');
  writeFileSync(
    file,
    `load_module ${NGINX_STREAM_MODULE};
daemon off;
worker_processes 1;
pid ${directory}/nginx.pid;
error_log stderr notice;
events { worker_connections 4096; }
http {
  ${nginxTemporaryPaths(directory)}
  access_log off;
  server {
    ${listen(httpPort)}
    ${trust}
    real_ip_header proxy_protocol;
    location / { return 200 "${report}\\n"; }
  }
}
stream {
  server {
    ${listen(streamPort)}
    ${trust}
    return "${report}\\n";
  }
}
`,
  );
  const program = await startProgram({
    name: 'nginx',
    command: NGINX,
    args: ['-p', directory, '-e', 'stderr', '-c', file],
    unprivileged: true,
  });
  await program.waitUntil(`nginx to listen on ${httpPort}`, () => listens(program.pid, httpPort));
  return {
    program,
    httpPort,
    streamPort,
    async stop() {
      await program.stop();
      removeTemporaryDirectory(directory);
    },
  };
}

/** One process, without a master: when it has ended, nobody listens any more and every connection of it is gone. */
export class NginxNode {
  readonly label: string;
  readonly port: number;
  readonly #directory: string;
  #program: Program | undefined;

  constructor(label: string, port: number) {
    this.label = label;
    this.port = port;
    this.#directory = makeTemporaryDirectory(label);
    writeFileSync(this.#file, this.#configuration());
  }

  static async start(label: string): Promise<NginxNode> {
    const node = new NginxNode(label, await freePort());
    await node.start();
    return node;
  }

  get address(): string {
    return hostPort(LOOPBACK_IPV4, this.port);
  }

  /** Again too, on the same port. */
  async start(): Promise<void> {
    const program = await startProgram({
      name: this.label,
      command: NGINX,
      args: ['-p', this.#directory, '-e', 'stderr', '-c', this.#file],
      unprivileged: true,
    });
    this.#program = program;
    await program.waitUntil(`nginx to listen on ${this.port}`, () => listens(program.pid, this.port));
  }

  /** kill -9. It is gone when this resolves. */
  async kill(): Promise<void> {
    this.#program?.signal('SIGKILL');
    await this.#program?.exit;
  }

  async stop(): Promise<void> {
    await this.#program?.stop();
    removeTemporaryDirectory(this.#directory);
  }

  get #file(): string {
    return join(this.#directory, 'nginx.conf');
  }

  #configuration(): string {
    return `daemon off;
master_process off;
pid ${this.#directory}/nginx.pid;
error_log stderr notice;
events { worker_connections 1024; }
http {
  ${nginxTemporaryPaths(this.#directory)}
  access_log off;
  server {
    listen ${this.address} proxy_protocol;
    location / { return 200 "${this.label}\\n"; }
  }
}
`;
  }
}
