// The listening sockets of the process: opened all or none, kept while they are wanted, and a sentence for people when it fails.

import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { ipOf } from '../../../testing/loopback.ts';
import { accepts, freePort, hasIpv6 } from '../../../testing/ports.ts';
import { type Address, ListenError, type ListenerSettings, ListenerSockets } from '../../../workers/listeners.ts';
import { type ForeignListener, listenElsewhere } from '../linux/foreign-listener.ts';

const SETTINGS: ListenerSettings = { shards: 2, backlog: 16, keepaliveSeconds: 60, congestion: undefined };

const opened: ListenerSockets[] = [];
let foreign: ForeignListener | undefined;
afterEach(async () => {
  for (const sockets of opened.splice(0)) sockets.closeOthers([]);
  await foreign?.stop();
  foreign = undefined;
});

function make(settings: Partial<ListenerSettings> = {}): ListenerSockets {
  const sockets = new ListenerSockets({ ...SETTINGS, ...settings });
  opened.push(sockets);
  return sockets;
}

function at(text: string, port: number): Address {
  return { ip: ipOf(text), port };
}

function problemsOf(open: () => void): string[] {
  try {
    open();
  } catch (error) {
    expect(error).toBeInstanceOf(ListenError);
    if (error instanceof ListenError) return error.message.split('\n');
  }
  throw new Error('nothing was wrong');
}

test('an address that the machine may lack is listened on, in any spelling; others are not', async () => {
  const port = await freePort();
  const sockets = make({ floating: new Set(['192.0.2.1', '2001:db8::1']) });
  const there = [at('192.0.2.1', port), at('2001:db8:0::1', port)];
  sockets.open(there);
  expect(there.every((address) => sockets.fdOf(address, 1) > 2)).toBe(true);
  expect(problemsOf(() => sockets.open([...there, at('192.0.2.2', port)]))).toEqual([
    `cannot listen on 192.0.2.2:${port}: this machine does not have that address`,
  ]);
});

describe('sockets', () => {
  test('one per shard and address, each of its own', async () => {
    const sockets = make({ shards: 3 });
    const [a, b] = [at('127.0.0.1', await freePort()), at('127.0.0.1', await freePort())];
    sockets.open([a, b]);
    expect(sockets.count).toBe(6);
    const fds = [a, b].flatMap((address) => [0, 1, 2].map((shard) => sockets.fdOf(address, shard)));
    expect(new Set(fds).size).toBe(6);
    expect(fds.every((fd) => fd > 2)).toBe(true);
    expect([sockets.fdOf(a, 3), sockets.fdOf(at('127.0.0.2', a.port), 0)]).toEqual([-1, -1]);
  });

  test('an address that was hidden and is wanted again before it was closed is opened anew', async () => {
    const sockets = make();
    const address = at('127.0.0.1', await freePort());
    sockets.open([address]);
    const before = sockets.fdOf(address, 0);
    sockets.hideOthers([]);
    expect([sockets.fdOf(address, 0), sockets.count]).toEqual([-1, 2]);
    sockets.open([address]);
    expect(sockets.fdOf(address, 0)).not.toBe(before);
    expect(await accepts('127.0.0.1', address.port)).toBe(true);
    sockets.closeOthers([address]);
    expect(sockets.count).toBe(2);
    expect(await accepts('127.0.0.1', address.port)).toBe(true);
  });

  test('what is open already is not opened again, and what is wanted is not closed', async () => {
    const sockets = make();
    const [a, b] = [at('127.0.0.1', await freePort()), at('127.0.0.1', await freePort())];
    sockets.open([a, b]);
    const fd = sockets.fdOf(a, 0);
    sockets.open([a]);
    expect([sockets.fdOf(a, 0), sockets.count]).toEqual([fd, 4]);
    // Waits in the backlog: a socket that was closed and opened anew would have reset it.
    const client = connect({ host: '127.0.0.1', port: a.port });
    await once(client, 'connect');
    sockets.closeOthers([at('127.0.0.1', a.port)]);
    expect([sockets.fdOf(a, 0), sockets.fdOf(b, 0), sockets.count]).toEqual([fd, -1, 2]);
    expect([await accepts('127.0.0.1', a.port), await accepts('127.0.0.1', b.port)]).toEqual([true, false]);
    expect(client.readyState).toBe('open');
    client.on('error', () => {}).destroy();
  });

  test('a wider address opens beside a narrower one that is about to go', async () => {
    const port = await freePort();
    const sockets = make();
    sockets.open([at('127.0.0.1', port)]);
    sockets.open([at('0.0.0.0', port)]);
    sockets.closeOthers([at('0.0.0.0', port)]);
    expect(await accepts('127.0.0.1', port)).toBe(true);
  });
});

describe('all or nothing', () => {
  test('what this call opened is closed, what was there before stays', async () => {
    const [before, fresh] = [at('127.0.0.1', await freePort()), at('127.0.0.1', await freePort())];
    const sockets = make();
    sockets.open([before]);
    const unavailable = at('192.0.2.1', fresh.port);
    expect(() => sockets.open([before, fresh, unavailable])).toThrow(ListenError);
    expect(sockets.count).toBe(2);
    expect([await accepts('127.0.0.1', before.port), await accepts('127.0.0.1', fresh.port)]).toEqual([true, false]);
  });
});

describe('what is said', () => {
  test('names who has the port', async () => {
    foreign = await listenElsewhere('127.0.0.1', 0, 'rival');
    const { port, pid } = foreign;
    const sockets = make();
    expect(problemsOf(() => sockets.open([at('127.0.0.1', port)]))).toEqual([
      `cannot listen on 127.0.0.1:${port}: the port is in use by rival (pid ${pid})`,
    ]);
  });

  test('names every address that failed', async () => {
    const sockets = make();
    const port = await freePort();
    const addresses = [at('192.0.2.1', port), at('127.0.0.1', port), at('2001:db8::1', port)];
    expect(problemsOf(() => sockets.open(addresses))).toEqual([
      `cannot listen on 192.0.2.1:${port}: this machine does not have that address`,
      `cannot listen on [2001:db8::1]:${port}: this machine does not have that address`,
    ]);
    expect(sockets.count).toBe(0);
  });

  test('names a congestion control that is not there', () => {
    const sockets = make({ congestion: 'no-such-one' });
    const [problem = ''] = problemsOf(() => sockets.open([at('127.0.0.1', 0)]));
    expect(problem).toContain('congestion control "no-such-one" is not available');
  });

  test('explains the ports that need a right', () => {
    // Root has it; then there is nothing to see.
    if (process.getuid?.() === 0) return;
    const [problem = ''] = problemsOf(() => make().open([at('127.0.0.1', 1)]));
    expect(problem).toContain('CAP_NET_BIND_SERVICE');
  });
});

// Otherwise another process would take half of the connections unnoticed.
describe('an address that somebody else holds is noticed beside one of ours at the same port', () => {
  test('another IPv4 address', async () => {
    foreign = await listenElsewhere('127.0.0.2');
    const { port } = foreign;
    expect(() => make().open([at('127.0.0.1', port), at('127.0.0.2', port)])).toThrow(ListenError);
  });

  test('the same port of IPv6', async () => {
    if (!(await hasIpv6())) throw new Error('no IPv6 here');
    foreign = await listenElsewhere('::1');
    const { port } = foreign;
    expect(() => make().open([at('127.0.0.1', port), at('::1', port)])).toThrow(ListenError);
  });
});
