// The reason why this project exists: servers that people really run must see who the client is, address and port.
// Each server reports it in its own way, through v1 and v2, IPv4 and IPv6, and with front and node of different families.
// The client is 127.0.0.77, so that its address differs from the balancer's own; for IPv6 there is only ::1, and the
// port makes the difference.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Balancer, startBalancer } from '../../testing/balancer.ts';
import type { ConfigSpec } from '../../testing/balancer-spec.ts';
import { Peer } from '../../testing/peer.ts';
import { freePort, hasIpv6, hostPort, LOOPBACK_IPV4, LOOPBACK_IPV6 } from '../../testing/ports.ts';
import * as apache from '../../testing/servers/apache.ts';
import * as haproxy from '../../testing/servers/haproxy.ts';
import * as mariadb from '../../testing/servers/mariadb.ts';
import * as nginx from '../../testing/servers/nginx.ts';
import { bodyOf, parseReport, type Report, type ReportedEndpoint } from '../../testing/servers/report.ts';
import { tcpSocketsOf } from '../../testing/sockets.ts';

const CLIENT_IPV4 = '127.0.0.77';
const START_DEADLINE_MS = 120_000;

/** What one session saw: the client's own view, and what the server said. */
interface Seen {
  client: ReportedEndpoint;
  report: Report;
}

interface Subject {
  name: string;
  available: boolean;
  missing: string;
  /** Starts the server; the port is the one that wants the PROXY header, on 127.0.0.1 and ::1. */
  start(): Promise<{ port: number; ask: (host: string, port: number) => Promise<Seen>; stop(): Promise<void> }>;
}

/** One connection from a known address: sends `request`, gives all that came back. */
async function exchange(
  host: string,
  port: number,
  request: string,
): Promise<{ client: ReportedEndpoint; text: string }> {
  const peer = await Peer.connect({ host, port, ...(host.includes(':') ? {} : { localAddress: CLIENT_IPV4 }) });
  try {
    const client = peer.local;
    if (request !== '') await peer.send(request);
    const text = (await peer.recvAll()).toString('latin1');
    return { client, text };
  } finally {
    peer.destroy();
  }
}

async function askHttp(host: string, port: number): Promise<Seen> {
  const { client, text } = await exchange(host, port, 'GET / HTTP/1.0\r\n\r\n');
  return { client, report: parseReport(bodyOf(text)) };
}

async function askMariadb(host: string, port: number): Promise<Seen> {
  const session = await mariadb.openMariadbSession(host, port);
  try {
    const user = await session.query('SELECT USER()');
    const socket = tcpSocketsOf(session.program.pid).find(({ remote }) => remote.port === port);
    if (socket === undefined) throw session.program.failure(`no socket to port ${port}`);
    const seen = await session.query('SELECT HOST FROM information_schema.processlist WHERE ID = CONNECTION_ID()');
    expect(user).toBe(`tester@${socket.local.address}`);
    const colon = seen.lastIndexOf(':');
    const address = seen.slice(0, colon).replace(/^\[|\]$/g, '');
    return { client: socket.local, report: { client: { address, port: Number(seen.slice(colon + 1)) } } };
  } finally {
    await session.close();
  }
}

let requests = 0;

const SUBJECTS: Subject[] = [
  {
    name: 'nginx http',
    available: nginx.available(),
    missing: nginx.missing,
    async start() {
      const server = await nginx.startNginx();
      return { port: server.httpPort, ask: askHttp, stop: () => server.stop() };
    },
  },
  {
    name: 'nginx stream',
    available: nginx.available(),
    missing: nginx.missing,
    async start() {
      const server = await nginx.startNginx();
      const ask = async (host: string, port: number): Promise<Seen> => {
        const { client, text } = await exchange(host, port, '');
        return { client, report: parseReport(text) };
      };
      return { port: server.streamPort, ask, stop: () => server.stop() };
    },
  },
  {
    name: 'Apache',
    available: apache.available(),
    missing: apache.missing,
    async start() {
      const server = await apache.startApache();
      const ask = async (host: string, port: number): Promise<Seen> => {
        const id = `request-${++requests}`;
        const { client, text } = await exchange(
          host,
          port,
          `GET /index.txt HTTP/1.0\r\nHost: localhost\r\nX-Request: ${id}\r\n\r\n`,
        );
        expect(bodyOf(text)).toBe('it works\n');
        expect(text).toContain(`X-Client: ${client.address}\r\n`);
        return { client, report: await server.reportOf(id) };
      };
      return { port: server.httpPort, ask, stop: () => server.stop() };
    },
  },
  {
    name: 'MariaDB',
    available: mariadb.available(),
    missing: mariadb.missing,
    async start() {
      const server = await mariadb.startMariadb();
      return { port: server.port, ask: askMariadb, stop: () => server.stop() };
    },
  },
  {
    name: 'HAProxy (accept-proxy)',
    available: haproxy.available(),
    missing: haproxy.missing,
    async start() {
      const server = await haproxy.startHaproxy();
      return { port: server.httpPort, ask: askHttp, stop: () => server.stop() };
    },
  },
];

const ipv6 = await hasIpv6();
const VERSIONS = ['v1', 'v2'] as const;
const ROUTES = [
  { name: 'IPv4', front: LOOPBACK_IPV4, node: LOOPBACK_IPV4 },
  { name: 'IPv6', front: LOOPBACK_IPV6, node: LOOPBACK_IPV6 },
  { name: 'IPv4 client, IPv6 node', front: LOOPBACK_IPV4, node: LOOPBACK_IPV6 },
  { name: 'IPv6 client, IPv4 node', front: LOOPBACK_IPV6, node: LOOPBACK_IPV4 },
];
const CASES = VERSIONS.flatMap((version) => ROUTES.map((route) => ({ version, ...route })));

for (const subject of SUBJECTS) {
  describe.skipIf(!subject.available)(
    `${subject.name} sees the client${subject.available ? '' : ` (skipped: ${subject.missing})`}`,
    () => {
      let server: Awaited<ReturnType<Subject['start']>>;
      let balancer: Balancer;
      const fronts = new Map<string, number>();

      beforeAll(async () => {
        server = await subject.start();
        for (const { version, node } of CASES) {
          const key = `${version} ${node}`;
          if (!fronts.has(key)) fronts.set(key, await freePort());
        }
        const configs = [...fronts].flatMap(([key, port]): ConfigSpec[] => {
          const [version, node = ''] = key.split(' ');
          if (version !== 'v1' && version !== 'v2') throw new Error(`version ${version}`);
          if (node === LOOPBACK_IPV6 && !ipv6) return [];
          return [
            {
              port,
              proxy_protocol: version,
              nodes: [{ label: 'node-1', address: hostPort(node, server.port) }],
            },
          ];
        });
        balancer = await startBalancer({
          nodebalancers: [{ label: 'real', ipv4: '0.0.0.0', ...(ipv6 ? { ipv6: '::' } : {}), configs }],
        });
      }, START_DEADLINE_MS);

      afterAll(async () => {
        await balancer?.stop();
        await server?.stop();
      });

      for (const { version, name, front, node } of CASES) {
        const possible = ipv6 || (front === LOOPBACK_IPV4 && node === LOOPBACK_IPV4);
        test.skipIf(!possible)(`PROXY ${version}, ${name}${possible ? '' : ' (skipped: no ::1 here)'}`, async () => {
          const port = fronts.get(`${version} ${node}`) ?? 0;
          const { client, report } = await server.ask(front, port);
          expect(report.client).toEqual(client);
          if (report.destination !== undefined) expect(report.destination).toEqual({ address: front, port });
          if (report.peer !== undefined) expect(report.peer).not.toEqual(client);
        });
      }
    },
  );
}
