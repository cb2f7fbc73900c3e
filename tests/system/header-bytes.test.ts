// The PROXY header as it is on the wire, byte for byte, in front of a node that records it: v1 and v2, IPv4 and IPv6. The
// expected bytes are written out here from the specification, not taken from our encoder.

import { Buffer } from 'node:buffer';
import { afterEach, describe, expect, test } from 'vitest';
import { type Balancer, startBalancer } from '../../testing/balancer.ts';
import type { ConfigSpec } from '../../testing/balancer-spec.ts';
import { Peer, PeerListener } from '../../testing/peer.ts';
import { freePort, hasIpv6, hostPort, LOOPBACK_IPV4, LOOPBACK_IPV6 } from '../../testing/ports.ts';

const V2_SIGNATURE = '0d0a0d0a000d0a515549540a';
const LOOPBACK_IPV6_HEX = `${'00'.repeat(15)}01`;

const ipv6 = await hasIpv6();

let balancer: Balancer | undefined;
let node: PeerListener | undefined;

afterEach(async () => {
  await node?.close();
  await balancer?.stop();
  node = undefined;
  balancer = undefined;
});

/** A wildcard front on both families with one recording node behind it. */
async function arrange(
  version: 'none' | 'v1' | 'v2',
  more: Partial<ConfigSpec> = {},
  nodeHost: string = LOOPBACK_IPV4,
): Promise<number> {
  const [port, nodePort] = [await freePort(), await freePort()];
  node = await PeerListener.listen(nodeHost, nodePort);
  const config: ConfigSpec = {
    port,
    proxy_protocol: version,
    nodes: [{ label: 'recorder', address: hostPort(nodeHost, nodePort) }],
    ...more,
  };
  balancer = await startBalancer({
    nodebalancers: [{ label: 'bytes', ipv4: '0.0.0.0', ...(ipv6 ? { ipv6: '::' } : {}), configs: [config] }],
  });
  return port;
}

function accept(): Promise<Peer> {
  if (node === undefined) throw new Error('arrange first');
  return node.accept();
}

const hexPort = (port: number): string => port.toString(16).padStart(4, '0');

interface Case {
  name: string;
  version: 'v1' | 'v2';
  front: string;
  localAddress?: string;
  expected(clientPort: number, port: number): Buffer;
}

const CASES: Case[] = [
  {
    name: 'v1 over IPv4',
    version: 'v1',
    front: LOOPBACK_IPV4,
    localAddress: '127.0.0.77',
    expected: (client, port) => Buffer.from(`PROXY TCP4 127.0.0.77 127.0.0.1 ${client} ${port}\r\n`),
  },
  {
    name: 'v1 over IPv4, another address of the same wildcard listener',
    version: 'v1',
    front: '127.0.0.5',
    localAddress: '127.0.0.77',
    expected: (client, port) => Buffer.from(`PROXY TCP4 127.0.0.77 127.0.0.5 ${client} ${port}\r\n`),
  },
  {
    name: 'v1 over IPv6',
    version: 'v1',
    front: LOOPBACK_IPV6,
    expected: (client, port) => Buffer.from(`PROXY TCP6 ::1 ::1 ${client} ${port}\r\n`),
  },
  {
    name: 'v2 over IPv4',
    version: 'v2',
    front: LOOPBACK_IPV4,
    localAddress: '127.0.0.77',
    expected: (client, port) =>
      Buffer.from(`${V2_SIGNATURE}2111000c7f00004d7f000001${hexPort(client)}${hexPort(port)}`, 'hex'),
  },
  {
    name: 'v2 over IPv4, another address of the same wildcard listener',
    version: 'v2',
    front: '127.0.0.5',
    localAddress: '127.0.0.77',
    expected: (client, port) =>
      Buffer.from(`${V2_SIGNATURE}2111000c7f00004d7f000005${hexPort(client)}${hexPort(port)}`, 'hex'),
  },
  {
    name: 'v2 over IPv6',
    version: 'v2',
    front: LOOPBACK_IPV6,
    expected: (client, port) =>
      Buffer.from(
        `${V2_SIGNATURE}21210024${LOOPBACK_IPV6_HEX}${LOOPBACK_IPV6_HEX}${hexPort(client)}${hexPort(port)}`,
        'hex',
      ),
  },
];

describe('the header on the wire', () => {
  for (const { name, version, front, localAddress, expected } of CASES) {
    const possible = ipv6 || !front.includes(':');
    test.skipIf(!possible)(`${name}${possible ? '' : ' (skipped: no ::1 here)'}`, async () => {
      const port = await arrange(version);
      const client = await Peer.connect({ host: front, port, ...(localAddress && { localAddress }) });
      // The client has not said a word: a server that speaks first needs the header now.
      const back = await accept();
      const header = await back.readProxyHeader();
      expect(header.bytes.toString('hex')).toBe(expected(client.local.port, port).toString('hex'));
      expect(back.pieces[0], 'the header arrives in one piece').toBe(header.bytes.length);

      await back.send('220 hello\r\n');
      expect((await client.recvUntil('\r\n')).toString()).toBe('220 hello\r\n');
      await client.send('QUIT\r\n');
      await client.fin();
      expect((await back.recvAll()).toString()).toBe('QUIT\r\n');
      await back.fin();
      expect((await client.recvAll()).length).toBe(0);
    });
  }
});

/** CRC-32C bit by bit (RFC 3720, B.4), in no way like ours. */
function crc32c(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) === 1 ? 0x82f63b78 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

test('v2 with a checksum: TLV 0x03 behind the addresses, over the header with its own field zero', async () => {
  const port = await arrange('v2', { proxy_protocol_crc32c: true });
  const client = await Peer.connect({ host: LOOPBACK_IPV4, port });
  const { bytes } = await (await accept()).readProxyHeader();
  const ports = hexPort(client.local.port) + hexPort(port);
  expect(bytes.subarray(0, -4).toString('hex')).toBe(`${V2_SIGNATURE}211100137f0000017f000001${ports}030004`);
  const zeroed = Buffer.concat([bytes.subarray(0, -4), Buffer.alloc(4)]);
  expect(bytes.readUInt32BE(bytes.length - 4)).toBe(crc32c(zeroed));
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
  client.destroy();
});

for (const version of ['v1', 'v2'] as const) {
  test(`PROXY ${version}: what the client sent at once follows the header unchanged`, async () => {
    const port = await arrange(version);
    const client = await Peer.connect({ host: LOOPBACK_IPV4, port });
    await client.send('PROXY TCP4 1.2.3.4 5.6.7.8 9 10\r\nGET / HTTP/1.0\r\n\r\n');
    await client.fin();
    const back = await accept();
    const header = await back.readProxyHeader();
    expect(header.sourcePort).toBe(client.local.port);
    // A header of the client's own making is payload and nothing else.
    expect((await back.recvAll()).toString()).toBe('PROXY TCP4 1.2.3.4 5.6.7.8 9 10\r\nGET / HTTP/1.0\r\n\r\n');
    client.destroy();
  });
}

test('without PROXY protocol the node gets the client’s bytes and no others', async () => {
  const port = await arrange('none');
  const client = await Peer.connect({ host: LOOPBACK_IPV4, port });
  await client.send('hello');
  await client.fin();
  const back = await accept();
  expect((await back.recvAll()).toString()).toBe('hello');
  client.destroy();
});

test.skipIf(!ipv6)('the family in the header is the client’s, not the node’s', async () => {
  const port = await arrange('v2', {}, LOOPBACK_IPV6);
  const client = await Peer.connect({ host: LOOPBACK_IPV4, port });
  const back = await accept();
  const header = await back.readProxyHeader();
  expect(header).toMatchObject({ family: 4, sourceAddress: LOOPBACK_IPV4, sourcePort: client.local.port });
  client.destroy();
});
