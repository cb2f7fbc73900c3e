// Ports that cannot be had: the balancer names each address, says why and who holds it, and starts nothing. Exit code 75 says that it
// may be had later, 78 that it may not. A port is busy even when its holder would share it: half of the connections would go astray
// unnoticed.

import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { startBalancer } from '../../../testing/balancer.ts';
import type { BalancerSpec } from '../../../testing/balancer-spec.ts';
import { fileWith } from '../../../testing/files.ts';
import { accepts, freePort, freePorts, LOOPBACK_IPV4 } from '../../../testing/ports.ts';
import { UNPRIVILEGED } from '../../../testing/temporary.ts';
import { type Ran, runBinary } from './binary.ts';

const EXIT_TEMPORARY = 75;
const EXIT_CONFIG = 78;

const servers: Server[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
});

async function hold(host: string, reusePort: boolean): Promise<number> {
  const server = createServer();
  servers.push(server);
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen({ host, port, reusePort, exclusive: true }, resolve));
  return (server.address() as AddressInfo).port;
}

function spec(ports: readonly number[], ipv4: string = LOOPBACK_IPV4): BalancerSpec {
  const configs = ports.map((port) => ({ port, nodes: [{ label: 'one', address: '127.0.0.1:9' }] }));
  return { nodebalancers: [{ label: 'test', ipv4, configs }] };
}

function run(wanted: BalancerSpec, unprivileged = false): Promise<Ran> {
  return runBinary(['run', '-f', fileWith(stringify(wanted))], { unprivileged, env: { BALANCER_WORKERS: '2' } });
}

for (const reusePort of [false, true]) {
  for (const [held, wanted] of [
    [LOOPBACK_IPV4, LOOPBACK_IPV4],
    ['0.0.0.0', LOOPBACK_IPV4],
    [LOOPBACK_IPV4, '0.0.0.0'],
  ] as const) {
    const how = reusePort ? 'a holder that shares its port' : 'a holder';
    test(`${how} at ${held}, the balancer wants ${wanted}: refused, with address and pid`, async () => {
      const [busy, free] = [await hold(held, reusePort), await freePort()];
      const ran = await run(spec([free, busy], wanted));
      expect(ran.code, ran.stderr).toBe(EXIT_TEMPORARY);
      expect(ran.lines).toHaveLength(1);
      expect(ran.stderr).toMatch(
        new RegExp(`^cannot listen on ${wanted}:${busy}: the port is in use by .+ \\(pid ${process.pid}\\)$`, 'm'),
      );
      expect(await accepts(LOOPBACK_IPV4, free)).toBe(false);
    });
  }
}

test('a second balancer on the same port is refused and told the pid of the first; the first serves on', async () => {
  const [port = 0, otherPort = 0] = await freePorts(2);
  const first = await startBalancer(spec([port]), { env: { BALANCER_WORKERS: '2' } });
  try {
    const ran = await run(spec([otherPort, port]));
    expect(ran.code).toBe(EXIT_TEMPORARY);
    expect(ran.lines).toEqual([
      `cannot listen on ${LOOPBACK_IPV4}:${port}: the port is in use by another balancer (pid ${first.pid})`,
    ]);
    expect(await accepts(LOOPBACK_IPV4, otherPort)).toBe(false);
    expect(await accepts(LOOPBACK_IPV4, port)).toBe(true);
  } finally {
    await first.stop();
  }
});

test('every address that cannot be had is named, not only the first', async () => {
  const [one, two] = [await hold(LOOPBACK_IPV4, false), await hold('0.0.0.0', true)];
  const ran = await run(spec([one, two]));
  expect(ran.code).toBe(EXIT_TEMPORARY);
  expect(ran.lines).toHaveLength(2);
  for (const port of [one, two]) expect(ran.stderr).toContain(`cannot listen on ${LOOPBACK_IPV4}:${port}: `);
});

test('an address that this machine does not have, yet', async () => {
  const ran = await run(spec([await freePort()], '192.0.2.1'));
  expect(ran.code).toBe(EXIT_TEMPORARY);
  expect(ran.stderr).toMatch(/^cannot listen on 192\.0\.2\.1:\d+: this machine does not have that address$/m);
});

test('check warns of an address that this machine does not have, and of no other', async () => {
  const wanted = {
    nodebalancers: [...spec([80], '127.1.2.3').nodebalancers, ...spec([81], '192.0.2.1').nodebalancers],
  };
  wanted.nodebalancers[1] = { ...wanted.nodebalancers[1], label: 'elsewhere', configs: [], ipv6: '2001:db8::1' };
  const file = fileWith(stringify(wanted));
  const ran = await runBinary(['check', '-f', file]);
  expect(ran.code).toBe(0);
  const missing = ran.lines.filter((line) => line.includes('this machine'));
  expect(missing).toEqual([
    expect.stringMatching(/:\d+:\d+: nodebalancers\[1\]\.ipv4: warning: this machine does not have 192\.0\.2\.1: /),
    expect.stringMatching(/:\d+:\d+: nodebalancers\[1\]\.ipv6: warning: this machine does not have 2001:db8::1: /),
  ]);
  const { warnings } = JSON.parse((await runBinary(['check', '--json', '-f', file])).stdout);
  expect(warnings).toContainEqual(expect.objectContaining({ path: 'nodebalancers[1].ipv4', line: expect.any(Number) }));
});

test.skipIf(UNPRIVILEGED === undefined)('port 80 without the right to it (skipped unless run as root)', async () => {
  // What does not go by itself decides, whatever else is in the way.
  const ran = await run(spec([80, await hold(LOOPBACK_IPV4, false)]), true);
  expect(ran.code, ran.stderr).toBe(EXIT_CONFIG);
  expect(ran.stderr).toMatch(/^cannot listen on 127\.0\.0\.1:80: no permission/m);
  expect(ran.stderr).not.toMatch(/^ {4}at /m);
});
