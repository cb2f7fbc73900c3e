// What accepting does apart from whole sessions (tests/sim): who cannot be watched over is refused and nobody else is taken meanwhile,
// and which of our addresses a client has come to.

import { expect, test } from 'vitest';
import { EAGAIN, ENOSPC } from '../../../core/base/errno.ts';
import { DESTINATION_AT, ENDPOINTS_BYTES } from '../../../core/base/ip.ts';
import { writeSockaddr } from '../../../core/linux/sockaddr.ts';
import { SHARD } from '../../../core/metrics/counters.ts';
import { acceptFrom } from '../../../core/session/accept.ts';
import { applyFrontends } from '../../../core/session/frontends.ts';
import { ACCEPT_PAUSE_MS } from '../../../core/session/limits.ts';
import { listenerReady } from '../../../core/session/listener.ts';
import type { Listener } from '../../../core/session/shard.ts';
import { PHASE_CONNECTING, PHASE_QUEUED, PHASE_RELAYING, PHASE_RETRYING } from '../../../core/session/table.ts';
import { ipOf } from '../../../testing/loopback.ts';
import { FRONT_FD, fakeShard, frontendPlan, nodePlan, relaying, serve } from './support.ts';

const LISTENER: Listener = {
  fd: 9,
  frontend: 0,
  ip: ipOf('0.0.0.0'),
  port: 80,
  isWildcard: true,
  serial: 1,
  acceptsPerWake: 8,
  fullTurn: -1,
  isPaused: false,
  isLeaving: false,
};

test('a connection that cannot be watched is reset, not answered with nothing, and the backlog is left alone', () => {
  let accepted = 0;
  const { calls, shard } = fakeShard(
    {},
    {
      acceptConnection: () => {
        accepted++;
        return FRONT_FD;
      },
      restOfConnection: () => -ENOSPC,
    },
  );
  serve(shard, [nodePlan(0)]);
  expect(acceptFrom(shard, { ...LISTENER })).toBe('stop');
  expect(calls).toEqual([`reset ${FRONT_FD}`, `close ${FRONT_FD}`]);
  expect(accepted).toBe(1);
  expect(shard.counters.shard[SHARD.ended]).toBe(1);
});

test('and nobody is taken from any other listener before its pause is over', () => {
  const { shard } = fakeShard(
    {},
    { acceptConnection: () => FRONT_FD, restOfConnection: () => -ENOSPC, unwatch: () => 0 },
  );
  serve(shard, [nodePlan(0)]);
  shard.listeners.push({ ...LISTENER }, { ...LISTENER, serial: 2 });
  listenerReady(shard, 0, 1);
  listenerReady(shard, 1, 2);
  expect(shard.listeners.map(({ isPaused }) => isPaused)).toEqual([true, true]);
  expect(shard.resumeAtMs).toBe(shard.nowMs + ACCEPT_PAUSE_MS);
});

test('an empty backlog is that', () => {
  const { shard } = fakeShard({}, { acceptConnection: () => -EAGAIN });
  serve(shard, [nodePlan(0)]);
  expect(acceptFrom(shard, { ...LISTENER })).toBe('drained');
});

test.each([
  ['there is no node', []],
  ['every node rejects', [nodePlan(0, { mode: 'reject' })]],
  ['every node drains', [nodePlan(0, { mode: 'drain' }), nodePlan(1, { mode: 'drain' })]],
])('where %s, the client is reset in the turn in which it was accepted, and leaves nothing to wait for', (_, nodes) => {
  const arriving = [FRONT_FD, -EAGAIN];
  const { calls, shard } = fakeShard(
    {},
    { acceptConnection: () => arriving.shift() ?? -EAGAIN, restOfConnection: () => 0 },
  );
  serve(shard, nodes);
  expect(acceptFrom(shard, { ...LISTENER })).toBe('drained');
  expect(calls).toEqual([`reset ${FRONT_FD}`, `close ${FRONT_FD}`]);
  expect(shard.counters.shard[SHARD.ended]).toBe(1);
  expect(Atomics.load(shard.live, 0)).toBe(0);
});

test('when headers are turned on, those who still wait for a node learn where their clients have come to', () => {
  const own = '198.51.100.7';
  const { shard } = fakeShard(
    {},
    {
      localAddress(_fd, at) {
        writeSockaddr(shard.arena, at, ipOf(own), 0, 80);
        return 0;
      },
    },
  );
  serve(shard, [nodePlan(0)]);
  const phases = [PHASE_CONNECTING, PHASE_RETRYING, PHASE_QUEUED, PHASE_RELAYING];
  const slots = phases.map((phase) => {
    const slot = relaying(shard, 0, 0);
    shard.table.phase[slot] = phase;
    return slot;
  });
  const elsewhere = relaying(shard, 0, 0);
  shard.table.phase[elsewhere] = PHASE_CONNECTING;
  shard.table.frontend[elsewhere] = 2;
  const destinationOf = (slot: number) => {
    const at = slot * ENDPOINTS_BYTES + DESTINATION_AT;
    return shard.table.endpoints.slice(at, at + 16);
  };
  applyFrontends(shard, [frontendPlan([nodePlan(0, { proxyProtocol: 'v2' })])]);
  const named = ipOf(own);
  const unnamed = new Uint8Array(16);
  expect([...slots, elsewhere].map(destinationOf)).toEqual([named, named, named, unnamed, unnamed]);
});
