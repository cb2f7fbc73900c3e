// What the end of a session leaves in the counters and in the log: each byte once, each session once, in the row of its frontend
// and of its node.

import { describe, expect, test } from 'vitest';
import { FRONTEND, FRONTEND_STRIDE, NODE, NODE_STRIDE, SHARD } from '../../../core/metrics/counters.ts';
import { takeRecord } from '../../../core/metrics/session-log.ts';
import { endSession } from '../../../core/session/close.ts';
import { sendHeader } from '../../../core/session/header.ts';
import { LOG_RECORDS } from '../../../core/session/limits.ts';
import { IN, noteOutcome, WHO } from '../../../core/session/outcome.ts';
import { WRITABLE } from '../../../core/session/table.ts';
import { fakeShard, nodePlan, relaying, serve } from './support.ts';

const HEADER_V2_IPV6_BYTES = 52;

describe('the end of a session', () => {
  test('adds its bytes to the shard, its frontend and its node, and takes it off the gauges', () => {
    const { shard } = fakeShard();
    const { counters, table } = shard;
    const slot = relaying(shard, 0, 0);
    table.frontend[slot] = 2 + 1;
    table.node[slot] = 5 + 1;
    counters.frontends[2 * FRONTEND_STRIDE + FRONTEND.active] = 4;
    counters.nodesActive[5] = 4;
    table.bytesFrom.set([100, 7000], slot * 2);
    table.bytesTo.set([6000, 120], slot * 2);
    endSession(shard, slot);
    const row = counters.frontends.slice(2 * FRONTEND_STRIDE, 3 * FRONTEND_STRIDE);
    expect([row[FRONTEND.ended], row[FRONTEND.active], row[FRONTEND.bytesIn], row[FRONTEND.bytesOut]]).toEqual([
      1, 3, 100, 6000,
    ]);
    const node = counters.nodes.slice(5 * NODE_STRIDE, 6 * NODE_STRIDE);
    expect([counters.nodesActive[5], node[NODE.bytesIn], node[NODE.bytesOut]]).toEqual([3, 7000, 120]);
    const all = counters.shard;
    expect([all[SHARD.ended], all[SHARD.bytesIn], all[SHARD.bytesOut]]).toEqual([1, 7100, 6120]);
    expect(shard.live[0]).toBe(0);
  });

  test('without a node touches no row of nodes', () => {
    const { shard } = fakeShard();
    const slot = relaying(shard, 0, 0);
    shard.table.node[slot] = 0;
    endSession(shard, slot);
    expect(shard.counters.nodes.every((cell) => cell === 0)).toBe(true);
  });

  test('a PROXY header is counted once', () => {
    const { shard } = fakeShard({}, { send: (_fd, _at, bytes) => bytes });
    const slot = relaying(shard, 0, WRITABLE);
    serve(shard, [nodePlan(0, { proxyProtocol: 'v2' })]);
    sendHeader(shard, slot);
    expect(shard.table.headerBytes[slot]).toBe(HEADER_V2_IPV6_BYTES);
    endSession(shard, slot);
    expect(shard.counters.shard[SHARD.headerBytes]).toBe(HEADER_V2_IPV6_BYTES);
    expect(shard.counters.shard[SHARD.bytesOut]).toBe(HEADER_V2_IPV6_BYTES);
  });
});

describe('the log', () => {
  test('has the record of the session, field by field', () => {
    const { shard } = fakeShard({ logSessions: true });
    const { table } = shard;
    const slot = relaying(shard, 0, 0);
    table.connection[slot] = 42;
    table.acceptedMs[slot] = 11;
    table.connectedMs[slot] = 12;
    table.firstByteMs[slot] = 13;
    table.attempts[slot] = 2;
    table.bytesFrom.set([1, 2], slot * 2);
    table.bytesTo.set([3, 4], slot * 2);
    table.bytesSpliced[slot] = 5;
    table.headerBytes[slot] = 6;
    table.firstErrno.set([104, 32], slot * 2);
    table.endpoints.set(
      Array.from({ length: 36 }, (_, i) => i),
      slot * 36,
    );
    noteOutcome(table, slot, WHO.client, IN.data);
    shard.nowMs = 14;
    endSession(shard, slot);
    expect(takeRecord(shard.log)).toEqual({
      connection: 42,
      acceptedMs: 11,
      connectedMs: 12,
      firstByteMs: 13,
      endedMs: 14,
      frontend: 1,
      node: 1,
      attempts: 2,
      bytesFromFront: 1,
      bytesToFront: 3,
      bytesFromBack: 2,
      bytesToBack: 4,
      bytesSpliced: 5,
      headerBytes: 6,
      outcomeWho: 'C'.charCodeAt(0),
      outcomePhase: 'D'.charCodeAt(0),
      frontErrno: 104,
      backErrno: 32,
      endpoints: Uint8Array.from({ length: 36 }, (_, i) => i),
    });
  });

  test('is not written when nobody asked for it', () => {
    const { shard } = fakeShard();
    endSession(shard, relaying(shard, 0, 0));
    expect(takeRecord(shard.log)).toBeUndefined();
  });

  test('that nobody reads drops what is too much, and counts it', () => {
    const { shard } = fakeShard({ logSessions: true });
    for (let i = 0; i < LOG_RECORDS + 3; i++) endSession(shard, relaying(shard, 0, 0));
    expect(shard.counters.shard[SHARD.logDropped]).toBe(3);
    expect(shard.counters.shard[SHARD.ended]).toBe(LOG_RECORDS + 3);
  });
});
