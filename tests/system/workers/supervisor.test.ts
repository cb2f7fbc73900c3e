// In which order configurations come into force when host names take their time, and that a name's move is never missed. With a real
// shard behind it; whole processes belong to tests/system/process.

import { afterEach, expect, test, vi } from 'vitest';
import { processSettings } from '../../../cli/settings.ts';
import type { Config } from '../../../core/config/model.ts';
import { ipOf } from '../../../testing/loopback.ts';
import { freePorts } from '../../../testing/ports.ts';
import { ListenError } from '../../../workers/listeners.ts';
import { RESOLVE_INTERVAL_MS } from '../../../workers/resolver.ts';
import { Supervisor } from '../../../workers/supervisor.ts';
import { configOf } from '../../pure/config/support.ts';
import { makeNotebook } from '../../pure/workers/notebook.ts';
import { type ForeignListener, listenElsewhere } from '../linux/foreign-listener.ts';

let supervisor: Supervisor | undefined;
let foreign: ForeignListener | undefined;
afterEach(async () => {
  vi.useRealTimers();
  await supervisor?.stop();
  await foreign?.stop();
  supervisor = undefined;
  foreign = undefined;
});

/** @param lookupAll host -> its addresses */
function make(lookupAll: (host: string) => Promise<readonly string[]>): Supervisor {
  const { lines: _, ...logger } = makeNotebook();
  const { supervisor: options } = processSettings({ workers: 1, connectionsMax: 8, backlog: 8 }, 4);
  supervisor = new Supervisor({ ...options, lookupAll }, logger);
  return supervisor;
}

function serving(port: number, node: string): Config {
  return configOf(
    `nodebalancers: [{ label: web, ipv4: 127.0.0.1, configs: [{ port: ${port}, nodes: [{ label: node, address: "${node}" }] }] }]`,
  );
}

function nodeIp({ snapshotSource }: Supervisor): Uint8Array | undefined {
  return snapshotSource.call(supervisor).frontends[0]?.nodes[0]?.ip;
}

test('a configuration whose names are slow to resolve is not put into force over a later one', async () => {
  const [first = 0, second = 0, third = 0] = await freePorts(3);
  const slow = Promise.withResolvers<readonly string[]>();
  const own = make(() => slow.promise);
  const started = own.start(serving(first, 'slow.test:80'));
  const later = own.reload(serving(second, '192.0.2.1:80'));
  const slowAgain = own.reload(serving(third, 'slow.test:80'));
  const last = serving(second, '192.0.2.2:80');
  const reloaded = own.reload(last);
  slow.resolve(['192.0.2.9']);
  await Promise.all([started, later, slowAgain, reloaded]);
  expect(own.config).toBe(last);
  expect(own.describe()).toHaveLength(1);
});

test('a name that moved while a change was refused is followed by the next look', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const [port = 0, taken = 0] = await freePorts(2);
  let address = '192.0.2.1';
  const own = make(async () => [address]);
  await own.start(serving(port, 'db.test:80'));
  expect(nodeIp(own)).toEqual(ipOf('192.0.2.1'));
  foreign = await listenElsewhere('127.0.0.1', taken);
  address = '192.0.2.2';
  await expect(own.reload(serving(taken, 'db.test:80'))).rejects.toThrow(ListenError);
  expect(nodeIp(own)).toEqual(ipOf('192.0.2.1'));
  await vi.advanceTimersByTimeAsync(RESOLVE_INTERVAL_MS);
  // Applied by a thread: its answer takes a few rounds of the event loop.
  vi.useRealTimers();
  await vi.waitFor(() => expect(nodeIp(own)).toEqual(ipOf('192.0.2.2')));
});
