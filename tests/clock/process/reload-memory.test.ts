// What reloads leave behind: after thirty more under load the process is no larger than before. That nobody
// notices them, and that no descriptor is left, is in tests/system/process/reload.test.ts.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Balancer, startBalancer } from '../../../testing/balancer.ts';
import type { BalancerSpec, ConfigSpec } from '../../../testing/balancer-spec.ts';
import { freePorts, LOOPBACK_IPV4 } from '../../../testing/ports.ts';
import { growsAtMost } from '../../../testing/yardstick.ts';
import { EchoNode, EchoStream } from '../../system/process/echo.ts';
import { ShortConnections } from '../../system/process/short-connections.ts';

const MIB = 1 << 20;
const RELOADS = 30;
const GROWTH_MAX = 48 * MIB;

let nodes: EchoNode[];
let balancer: Balancer;
let streams: EchoStream[] = [];
let load: ShortConnections | undefined;

beforeEach(async () => {
  nodes = [await EchoNode.listen(), await EchoNode.listen()];
});
afterEach(async () => {
  for (const stream of streams) stream.destroy();
  streams = [];
  await load?.stop();
  await balancer?.stop();
  await Promise.all(nodes.map((node) => node.close()));
});

test('thirty changes of ports, nodes and PROXY mode', async () => {
  const [port = 0, otherPort = 0] = await freePorts(2);
  const spec = (...configs: ConfigSpec[]): BalancerSpec => ({
    nodebalancers: [{ label: 'test', ipv4: LOOPBACK_IPV4, configs }],
  });
  const config = (count: number, more: Partial<ConfigSpec> = {}): ConfigSpec => ({
    port,
    nodes: nodes.slice(0, count).map(({ address }, i) => ({ label: `echo-${i}`, address })),
    ...more,
  });
  const variants = [
    spec(config(1), config(2, { port: otherPort })),
    spec(config(2)),
    spec(config(2, { proxy_protocol: 'v2' })),
    spec(config(2, { algorithm: 'leastconn' }), config(1, { port: otherPort, proxy_protocol: 'v2' })),
    spec(config(1)),
  ];
  balancer = await startBalancer(spec(config(1)), { env: { BALANCER_WORKERS: '2', BALANCER_DRAIN_TIMEOUT_MS: '0' } });
  const options = [{ window: 2000, paceMs: 2 }, { window: MIB }];
  streams = await Promise.all(options.map((one, i) => EchoStream.open(port, i, one)));
  load = new ShortConnections(port, 6);
  const reloads = async (count: number) => {
    for (let i = 0; i < count; i++) {
      expect(await balancer.reload(variants[i % variants.length] ?? spec())).toMatch(/applied/);
      await load?.serves(5);
    }
  };
  await reloads(10);
  await growsAtMost(
    GROWTH_MAX,
    () => balancer.rssBytes(),
    () => reloads(RELOADS),
  );
  expect((await load.stop()).failures).toEqual([]);
});
