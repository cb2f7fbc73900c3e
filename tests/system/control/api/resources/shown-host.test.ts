// What answers say of this machine: asked of the system seldom, shown in each of them.

import { networkInterfaces } from 'node:os';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { shownHost } from '../../../../../control/api/host-addresses.ts';
import { monotonicMs } from '../../../../../core/base/clock.ts';
import { done, NODEBALANCERS } from '../../../../pure/control/api/resources/support.ts';
import { type Lab, startLab } from '../../../../pure/control/api/support.ts';

vi.mock('node:os', async (original) => {
  const os = await original<typeof import('node:os')>();
  return { ...os, networkInterfaces: vi.fn(os.networkInterfaces) };
});

let lab: Lab;
beforeEach(() => {
  lab = startLab({ addresses: [] });
});
afterEach(async () => {
  expect(lab.faults).toEqual([]);
  await lab.close();
});

test('many answers about many nodebalancers ask the system for its addresses once', async () => {
  for (let i = 0; i < 5; i++) await done(lab.ask('POST', NODEBALANCERS, { region: 'local' }));
  shownHost();
  vi.mocked(networkInterfaces).mockClear();
  for (let i = 0; i < 5; i++) {
    const { data } = await done(lab.ask('GET', NODEBALANCERS));
    expect(data.map(({ ipv4 }: { ipv4: string }) => ipv4)).toEqual(Array(5).fill(shownHost().ipv4));
  }
  expect(vi.mocked(networkInterfaces).mock.calls.length).toBeLessThanOrEqual(1);
});

test('an address that the machine gets is shown within a second', () => {
  const laterMs = monotonicMs() + 60_000;
  shownHost(() => laterMs);
  vi.mocked(networkInterfaces).mockReturnValueOnce({
    eth9: [{ address: '192.0.2.99', family: 'IPv4', internal: false, netmask: '', mac: '', cidr: null }],
  });
  expect(shownHost(() => laterMs + 999).ipv4).not.toBe('192.0.2.99');
  expect(shownHost(() => laterMs + 1000)).toMatchObject({ ipv4: '192.0.2.99', ipv6: null });
});
