// Sessions with both directions stalled, more than there are pipes, and at full size about as many as there is memory for bytes
// that nobody takes: as a user without privileges, without splice(2), with it, with small buffers, without pipes. Once
// released, every byte of every stream arrives, and every session ends orderly.

import { afterEach, expect, test } from 'vitest';
import { freePort, LOOPBACK_IPV4 } from '../../../testing/ports.ts';
import { eventually } from '../../../testing/process.ts';
import { RawListener } from '../../../testing/raw-socket.ts';
import { bySize } from '../../../testing/suite/size.ts';
import { Crowd } from './crowd.ts';
import { openScene, type Scene } from './scene.ts';

/** Small segments keep the balancer's send buffers small, so that little data is enough for a stall. */
const SOCKETS = { receiveBytes: 16_384, sendBytes: 16_384, segmentBytes: 1460 };

let scene: Scene;
let node: RawListener;
afterEach(async () => {
  await scene?.close();
  node?.close();
});

const MANY = bySize({ quick: 200, thorough: 500 });
const SESSIONS = bySize({ quick: 80, thorough: 300 });

const CASES = [
  { name: 'as a user without privileges', sessions: MANY, unprivileged: true, env: {}, splices: true },
  { name: 'splice off', sessions: SESSIONS, env: { BALANCER_SPLICE: 'off' }, splices: false },
  { name: 'splice on', sessions: SESSIONS, env: { BALANCER_SPLICE: 'on' }, splices: true },
  {
    name: 'buffers of 4 KiB',
    sessions: SESSIONS,
    unprivileged: true,
    env: { BALANCER_BUFFER_BYTES: '4096' },
    splices: true,
  },
  { name: 'no pipes at all', sessions: SESSIONS, env: { BALANCER_PIPE_TOTAL_BYTES: '0' }, splices: false },
  {
    name: 'splice on, no privileges, small buffers',
    sessions: SESSIONS,
    unprivileged: true,
    env: { BALANCER_SPLICE: 'on', BALANCER_BUFFER_BYTES: '4096' },
    splices: true,
  },
];

for (const { name, sessions, unprivileged, env, splices } of CASES) {
  test(`${sessions} sessions, ${name}: every byte arrives`, async () => {
    node = new RawListener(LOOPBACK_IPV4, await freePort(), SOCKETS);
    const nodes = [{ label: 'raw', address: `${LOOPBACK_IPV4}:${node.port}` }];
    scene = await openScene({ nodes, env, unprivileged: unprivileged === true });
    const crowd = new Crowd();
    for (let i = 0; i < sessions; i++) await crowd.add(scene.port, node, SOCKETS);
    await crowd.stall();
    await crowd.release();
    await eventually('all to be logged', () => scene.allEnded().length === sessions);
    const ended = scene.allEnded();
    expect(new Set(ended.map(({ outcome }) => outcome))).toEqual(new Set(['--']));
    const sum = ended.reduce((total, line) => total + line.bytes_to_client + line.bytes_to_node, 0);
    expect(sum).toBe(crowd.bytesSent);
    const spliced = ended.filter(({ bytes_spliced }) => bytes_spliced > 0).length;
    if (splices) expect(spliced).toBeGreaterThan(0);
    else expect(spliced).toBe(0);
  });
}
