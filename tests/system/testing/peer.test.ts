// The scripted peers themselves: what each step does on the wire, without a balancer between them.

import { Buffer } from 'node:buffer';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Peer, PeerListener } from '../../../testing/peer.ts';
import { freePort, LOOPBACK_IPV4 } from '../../../testing/ports.ts';

let listener: PeerListener;
let client: Peer;
let node: Peer;

beforeEach(async () => {
  listener = await PeerListener.listen(LOOPBACK_IPV4, await freePort());
  client = await Peer.connect({ host: LOOPBACK_IPV4, port: listener.port });
  node = await listener.accept();
});

afterEach(async () => {
  client.destroy();
  await listener.close();
});

test('recv gives exactly what was asked for and keeps the rest', async () => {
  await client.send('abcdef');
  expect((await node.recv(2)).toString()).toBe('ab');
  expect((await node.recv(4)).toString()).toBe('cdef');
});

test('FIN ends one direction only', async () => {
  await client.send('question');
  await client.fin();
  expect((await node.recvAll()).toString()).toBe('question');
  expect(node.ended).toBe('fin');
  await node.send('answer');
  await node.fin();
  expect((await client.recvAll()).toString()).toBe('answer');
});

test('RST is told apart from FIN', async () => {
  client.rst();
  expect(await node.recvEnd()).toBe('rst');
  await expect(node.recvAll()).rejects.toThrow(/ECONNRESET/);
});

test('a connection that ends early says how many bytes came', async () => {
  await client.send('abc');
  await client.fin();
  await expect(node.recv(4)).rejects.toThrow('wanted 4 bytes, got 3 and then fin');
});

test('pause closes the window: the other side’s send does not finish until resume', async () => {
  node.pause();
  let sent = false;
  // More than any socket buffers between two processes take.
  const bytes = 64 * 1024 * 1024;
  const sending = client.send(new Uint8Array(bytes)).then(() => {
    sent = true;
  });
  await expect(node.recv(bytes, 200)).rejects.toThrow(/no 67108864 bytes within 200 ms/);
  expect(sent).toBe(false);
  node.resume();
  expect((await node.recv(bytes)).length).toBe(bytes);
  await sending;
});

test('accept has a deadline', async () => {
  await expect(listener.accept(20)).rejects.toThrow(/nobody connected to 127\.0\.0\.1:\d+ within 20 ms/);
});

test('a PROXY header is read and what follows stays', async () => {
  await client.send('PROXY TCP6 2001:db8::1 ::1 65535 1\r\nPAYLOAD');
  const header = await node.readProxyHeader();
  expect(header).toMatchObject({ version: 1, family: 6, sourceAddress: '2001:db8::1', sourcePort: 65535 });
  expect((await node.recv(7)).toString()).toBe('PAYLOAD');
});

test('v2 headers too, with what they carry behind the addresses', async () => {
  // The example of the Linode guide: 172.104.17.5:65054 -> 207.192.68.56:1234, and a NOOP TLV.
  const hex = '0d0a0d0a000d0a515549540a2111000fac681105cfc04438fe1e04d2040000';
  await client.send(Buffer.from(`${hex}61`, 'hex'));
  const header = await node.readProxyHeader();
  expect(header).toMatchObject({
    version: 2,
    command: 'PROXY',
    sourceAddress: '172.104.17.5',
    sourcePort: 65054,
    destinationAddress: '207.192.68.56',
    destinationPort: 1234,
  });
  expect(header.bytes.toString('hex')).toBe(hex);
  expect((await node.recv(1)).toString()).toBe('a');
});

for (const wrong of ['PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n', 'PROXY TCP4  1.2.3.4 5.6.7.8 1 2\r\n', 'GET / HTTP/1.0\r\n']) {
  test(`${JSON.stringify(wrong)} is no header`, async () => {
    await client.send(wrong);
    await expect(node.readProxyHeader()).rejects.toThrow('not a v1 header');
  });
}
