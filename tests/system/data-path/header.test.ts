// The PROXY header between connect and first byte: it is sent without waiting for the client, in one piece, together with what
// the client has said already; what the client says never becomes a header; and it names the address the client connected to.
// Exact bytes of single headers are the business of ../header-bytes.test.ts; here they meet traffic.

import { Buffer } from 'node:buffer';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Balancer, startBalancer } from '../../../testing/balancer.ts';
import type { ConfigSpec } from '../../../testing/balancer-spec.ts';
import { Peer, PeerListener } from '../../../testing/peer.ts';
import { freePort, hasIpv6, hostPort, LOOPBACK_IPV4, LOOPBACK_IPV6 } from '../../../testing/ports.ts';
import { eventually } from '../../../testing/process.ts';
import { connectRaw } from '../../../testing/raw-socket.ts';
import { expectSame, pattern } from './scene.ts';

const V2_SIGNATURE = '0d0a0d0a000d0a515549540a';
const ipv6 = await hasIpv6();
const FRONTS = ['127.0.0.1', '127.0.0.2', '127.1.2.3', ...(ipv6 ? [LOOPBACK_IPV6] : [])];
const CLIENT_IPV4 = '127.0.0.99';

let node: PeerListener;
let balancer: Balancer;
const ports = { v1: 0, v2: 0 };

beforeAll(async () => {
  node = await PeerListener.listen(LOOPBACK_IPV4, await freePort());
  const configs: ConfigSpec[] = [];
  for (const version of ['v1', 'v2'] as const) {
    ports[version] = await freePort();
    const nodes = [{ label: 'node-1', address: hostPort(LOOPBACK_IPV4, node.port) }];
    configs.push({ port: ports[version], proxy_protocol: version, nodes });
  }
  balancer = await startBalancer(
    { nodebalancers: [{ label: 'wildcard', ipv4: '0.0.0.0', ...(ipv6 ? { ipv6: '::' } : {}), configs }] },
    { env: { BALANCER_WORKERS: '1', BALANCER_DRAIN_TIMEOUT_MS: '0' } },
  );
});

afterAll(async () => {
  await node?.close();
  await balancer?.stop();
});

function connect(version: 'v1' | 'v2', host: string): Promise<Peer> {
  const localAddress = host.includes(':') ? {} : { localAddress: CLIENT_IPV4 };
  return Peer.connect({ host, port: ports[version], ...localAddress });
}

/** Written from the specification, for a client at `CLIENT_IPV4` or ::1. */
function expectedHeader(version: 'v1' | 'v2', front: string, clientPort: number): Buffer {
  const isV6 = front.includes(':');
  const client = isV6 ? LOOPBACK_IPV6 : CLIENT_IPV4;
  if (version === 'v1') {
    return Buffer.from(`PROXY TCP${isV6 ? 6 : 4} ${client} ${front} ${clientPort} ${ports.v1}\r\n`);
  }
  const one = `${'00'.repeat(15)}01`;
  const octets = (ip: string) => Buffer.from(ip.split('.').map(Number)).toString('hex');
  const addresses = isV6 ? one + one : octets(client) + octets(front);
  const hex = (port: number) => port.toString(16).padStart(4, '0');
  const kind = isV6 ? '21210024' : '2111000c';
  return Buffer.from(`${V2_SIGNATURE}${kind}${addresses}${hex(clientPort)}${hex(ports.v2)}`, 'hex');
}

for (const version of ['v1', 'v2'] as const) {
  describe(`PROXY ${version}`, () => {
    for (const front of FRONTS) {
      test(`a client of ${front} that waits for the banner: the header comes at once, then the talk`, async () => {
        const client = await connect(version, front);
        const back = await node.accept();
        const header = expectedHeader(version, front, client.local.port);
        expect((await back.recv(header.length)).toString('hex')).toBe(header.toString('hex'));
        expect(back.pieces).toEqual([header.length]);
        await back.send('220 mail.example ESMTP\r\n');
        expect((await client.recvUntil('\r\n')).toString()).toBe('220 mail.example ESMTP\r\n');
        await client.send('QUIT\r\n');
        expect((await back.recvUntil('\r\n')).toString()).toBe('QUIT\r\n');
        await back.fin();
        await client.fin();
        expect((await client.recvAll()).length + (await back.recvAll()).length).toBe(0);
      });
    }

    test('header and what the client has sent already arrive in one piece', async () => {
      // Stopped, the balancer finds connection and bytes together when it goes on.
      balancer.signal('SIGSTOP');
      const request = pattern(1, 5000);
      const client = await connect(version, LOOPBACK_IPV4);
      try {
        await client.send(request);
      } finally {
        balancer.signal('SIGCONT');
      }
      const back = await node.accept();
      const header = expectedHeader(version, LOOPBACK_IPV4, client.local.port);
      expectSame(await back.recv(header.length + request.length), Buffer.concat([header, request]));
      expect(back.pieces).toEqual([header.length + request.length]);
      client.destroy();
    });

    test('early bytes by the megabyte follow the header in order', async () => {
      const client = await connect(version, LOOPBACK_IPV4);
      const upload = pattern(2, 3 << 20);
      const sending = client.send(upload);
      const back = await node.accept();
      const header = expectedHeader(version, LOOPBACK_IPV4, client.local.port);
      expectSame(await back.recv(header.length + upload.length), Buffer.concat([header, upload]));
      await sending;
      client.destroy();
    });

    for (const [what, forged] of [
      ['a v1 header', Buffer.from('PROXY TCP4 1.2.3.4 5.6.7.8 9 10\r\nGET / HTTP/1.0\r\n\r\n')],
      ['a v2 header', Buffer.from(`${V2_SIGNATURE}2111000c010203040506070800090010deadbeef`, 'hex')],
      ['a v2 LOCAL header', Buffer.from(`${V2_SIGNATURE}20000000`, 'hex')],
    ] as const) {
      test(`${what} of the client’s own making stays payload, at once or later`, async () => {
        const client = await connect(version, LOOPBACK_IPV4);
        await client.send(forged);
        const back = await node.accept();
        const header = expectedHeader(version, LOOPBACK_IPV4, client.local.port);
        expectSame(await back.recv(header.length + forged.length), Buffer.concat([header, forged]));
        await client.send(forged);
        await client.fin();
        expectSame(await back.recvAll(), Buffer.from(forged));
        await back.fin();
      });
    }

    test('a client that has said all and ended before the node was reached: header, bytes, FIN', async () => {
      balancer.signal('SIGSTOP');
      const client = await connect(version, LOOPBACK_IPV4);
      try {
        await client.send('all I have to say');
        await client.fin();
      } finally {
        balancer.signal('SIGCONT');
      }
      const back = await node.accept();
      const header = expectedHeader(version, LOOPBACK_IPV4, client.local.port);
      expectSame(await back.recvAll(), Buffer.concat([header, Buffer.from('all I have to say')]));
      await back.send('and my answer');
      await back.fin();
      expect((await client.recvAll()).toString()).toBe('and my answer');
    });

    test('100 clients at once, each with its own header', async () => {
      const clients = await Promise.all(Array.from({ length: 100 }, () => connect(version, '127.0.0.2')));
      const wanted = clients.map((client) => expectedHeader(version, '127.0.0.2', client.local.port).toString('hex'));
      const seen: string[] = [];
      for (const _ of clients) seen.push((await (await node.accept()).readProxyHeader()).bytes.toString('hex'));
      expect(seen.sort()).toEqual(wanted.sort());
      for (const client of clients) client.destroy();
    });

    test('urgent data as the client’s first byte does not disturb the header', async () => {
      const client = await connectRaw(LOOPBACK_IPV4, ports[version]);
      client.sendUrgent(Buffer.from('!'));
      const back = await node.accept();
      expect((await back.readProxyHeader()).sourcePort).toBe(client.local.port);
      expect((await back.recv(1)).toString()).toBe('!');
      client.close();
      await eventually('the end', () => back.ended !== 'open');
    });
  });
}
