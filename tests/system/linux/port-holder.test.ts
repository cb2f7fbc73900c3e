// Who holds a port: the name in the message that says why we cannot listen.

import { afterEach, expect, test } from 'vitest';
import { isHeldByUs, portHolder } from '../../../core/linux/port-holder.ts';
import { Loopback } from '../../../testing/loopback.ts';
import { freePort, hasIpv6 } from '../../../testing/ports.ts';
import { type ForeignListener, listenElsewhere } from './foreign-listener.ts';

const net = new Loopback();
let foreign: ForeignListener | undefined;
afterEach(async () => {
  net.closeAll();
  await foreign?.stop();
  foreign = undefined;
});

test('nobody', async () => {
  expect(portHolder(await freePort())).toBeUndefined();
});

test('another process, by its name and pid', async () => {
  foreign = await listenElsewhere('127.0.0.1', 0, 'its-name');
  expect(portHolder(foreign.port)).toBe(`its-name (pid ${foreign.pid})`);
});

test('an IPv6 listener is found as well', async () => {
  if (!(await hasIpv6())) return;
  foreign = await listenElsewhere('::1', 0, 'six');
  expect(portHolder(foreign.port)).toBe(`six (pid ${foreign.pid})`);
});

test('this process itself, unless the socket is none to be named', () => {
  const { fd, port } = net.listen();
  expect(portHolder(port)).toContain(`(pid ${process.pid})`);
  expect(isHeldByUs(port, [])).toBe(true);
  expect([portHolder(port, [fd]), isHeldByUs(port, [fd])]).toEqual([undefined, false]);
});

test('another process is not this one', async () => {
  foreign = await listenElsewhere('127.0.0.1', 0, 'other');
  expect(isHeldByUs(foreign.port, [])).toBe(false);
});

test('a connection to the port, or one with that port at its own end, holds nothing', async () => {
  const { fd: listenFd, port } = net.listen();
  const { fd: client } = net.connectTo('127.0.0.1', port);
  const accepted = net.accept(listenFd);
  const { port: clientPort } = net.addressOf(client);
  net.close(listenFd);
  expect(net.addressOf(accepted).port).toBe(port);
  expect([portHolder(port), portHolder(clientPort)]).toEqual([undefined, undefined]);
});
