// Much at once through the real binary: big streams both ways at the same time, many connections held together, many short
// ones; at full size a gigabyte, 2,000 and 20,000. Every byte is checked by digest, every header by the client's own port, and both ends' counts must agree.
// Client and node are processes of their own, so that the test is not the bottleneck.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Balancer, onePort, startBalancer } from '../../testing/balancer.ts';
import { freePorts, hostPort, LOOPBACK_IPV4 } from '../../testing/ports.ts';
import { eventually, type Program } from '../../testing/process.ts';
import { bySize } from '../../testing/suite/size.ts';
import type { Job } from './volume/client.ts';
import type { Totals } from './volume/protocol.ts';
import { runVolume, startVolumeNode, VOLUME_DEADLINE_MS } from './volume/run.ts';

const MIB = 1024 * 1024;
const SIZE = bySize({
  quick: { streamBytes: 192 * MIB, together: 500, short: 3000 },
  thorough: { streamBytes: 1024 * MIB, together: 2000, short: 20_000 },
});

let balancer: Balancer;
let node: Program;
let port: number;

beforeAll(async () => {
  const [frontPort = 0, nodePort = 0] = await freePorts(2);
  port = frontPort;
  node = await startVolumeNode(nodePort);
  balancer = await startBalancer(
    onePort({ port, proxy_protocol: 'v2', nodes: [{ label: 'node-1', address: hostPort(LOOPBACK_IPV4, nodePort) }] }),
  );
});

afterAll(async () => {
  await balancer?.stop();
  await node?.stop();
});

/** Runs one job; both ends must agree with each other and with what was asked for. */
async function run(job: Omit<Job, 'port'>): Promise<Totals> {
  const { atClient, atNode } = await runVolume(node, { port, ...job });
  expect(atClient.problems).toEqual([]);
  expect(atClient.sessions).toBe(job.sessions);
  expect(atNode).toEqual(atClient);
  return atClient;
}

test(
  `${SIZE.streamBytes / MIB} MiB each way at the same time arrive unchanged`,
  async () => {
    const { streamBytes: bytes } = SIZE;
    const totals = await run({
      sessions: 1,
      atOnce: 1,
      bytesUp: bytes,
      bytesDown: bytes,
      vary: false,
      together: false,
    });
    expect(totals).toMatchObject({ bytesUp: bytes, bytesDown: bytes });
  },
  VOLUME_DEADLINE_MS,
);

test(
  `${SIZE.together} connections at once, each with its own bytes both ways`,
  async () => {
    const sessions = SIZE.together;
    await run({ sessions, atOnce: sessions, bytesUp: 65_536, bytesDown: 65_536, vary: true, together: true });
  },
  VOLUME_DEADLINE_MS,
);

test(
  `${SIZE.short} short connections, and nothing stays open behind them`,
  async () => {
    const short = { atOnce: 64, bytesUp: 2048, bytesDown: 4096, vary: true, together: false };
    // The first ones open what is kept for good: pipes may be pooled.
    await run({ sessions: 500, ...short });
    const quiet = balancer.descriptors();
    await run({ sessions: SIZE.short, ...short });
    await eventually('descriptors to go back', () => balancer.descriptors() <= quiet + 8);
  },
  VOLUME_DEADLINE_MS,
);
