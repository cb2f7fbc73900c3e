// What follows from a node's condition besides the word about it: cuts that every shard has heard of, ejections that belong to an
// address, not to a name, and the next address in place of one that failed.

import { afterEach, expect, test, vi } from 'vitest';
import { monotonicMs } from '../../../core/base/clock.ts';
import { ECONNREFUSED } from '../../../core/base/errno.ts';
import { NO_TRIAL, type NodeEvent, noteConnectFailure } from '../../../core/health/ejection.ts';
import {
  createNodeStates,
  HEALTH_DOWN,
  HEALTH_UNKNOWN,
  HEALTH_UP,
  type NodeStates,
  nodeStatesBytes,
} from '../../../core/health/node-states.ts';
import { ipOf } from '../../../testing/loopback.ts';
import { freePort } from '../../../testing/ports.ts';
import { eventually } from '../../../testing/process.ts';
import { EventLog } from '../../../workers/event-log.ts';
import { NodeAddresses } from '../../../workers/node-addresses.ts';
import { NodeWatch } from '../../../workers/node-watch.ts';
import type { ShardSet } from '../../../workers/shard-set.ts';
import { frontendPlan, nodePlan } from '../../pure/session/support.ts';
import { makeNotebook } from '../../pure/workers/notebook.ts';
import { makeTarget } from './checks-support.ts';

let watch: NodeWatch | undefined;
afterEach(() => {
  watch?.stop();
  watch = undefined;
});

/** @param addresses what is known of the other addresses of nodes; else there are none */
function make(cut: (row: number) => Promise<boolean>, addresses: Partial<NodeAddresses> = {}) {
  const nodeStates = createNodeStates(new SharedArrayBuffer(nodeStatesBytes(2)), 2);
  const { lines, ...logger } = makeNotebook();
  const shards: { nodeStates: NodeStates; counters: []; cut: typeof cut; onNodeEvent: OnNodeEvent } = {
    nodeStates,
    counters: [],
    cut,
    onNodeEvent: () => {},
  };
  const events = new EventLog(logger);
  watch = new NodeWatch(
    shards as unknown as ShardSet,
    Object.assign(new NodeAddresses(events, monotonicMs), addresses),
    { cutAfterMs: 0, checkDescriptors: 64, sourceAddresses: [] },
    logger,
    events,
  );
  return { lines, nodeStates, shards, watch };
}

type OnNodeEvent = (row: number, event: NodeEvent, errno: number) => void;

function eject(nodeStates: NodeStates, row: number): void {
  for (let i = 0; i < 3; i++) noteConnectFailure(nodeStates, row, NO_TRIAL, 5000, ECONNREFUSED, monotonicMs());
}

test('a cut that a shard has not heard of, because it was dying, is repeated until all have, and told once', async () => {
  const answers = [false, new Error('shard 1 did not answer'), true];
  const cut = vi.fn(async (_row: number) => {
    const answer = answers.shift() ?? true;
    if (answer instanceof Error) throw answer;
    return answer;
  });
  const { lines, watch } = make(cut);
  const port = await freePort();
  watch.update([frontendPlan([nodePlan(0)])], [makeTarget(port, { intervalMs: 20, attempts: 1 })]);
  await eventually('the cut to have reached everybody', () => answers.length === 0);
  watch.stop();
  expect(cut.mock.calls).toEqual([[0], [0], [0]]);
  expect(lines.filter((line) => line.includes('are cut'))).toHaveLength(1);
  expect(lines.filter((line) => line.includes('were not cut'))).toHaveLength(1);
});

test('a node that has moved to another address is not out for what happened at the old one', () => {
  const { nodeStates, watch } = make(async () => true);
  const serve = (ip: string) => watch.update([frontendPlan([nodePlan(1, { ip: ipOf(ip) })])], []);
  serve('192.0.2.1');
  eject(nodeStates, 1);
  serve('192.0.2.1');
  expect(nodeStates.isEjected[1]).toBe(1);
  serve('192.0.2.2');
  expect([nodeStates.isEjected[1], nodeStates.outUntilMs[1], nodeStates.ejections[1]]).toEqual([0, 0, 0]);
  expect(nodeStates.movedMs[1]).toBeGreaterThan(monotonicMs());
});

test('a node that fails its sessions and goes to another address for it is not said to be out', () => {
  const failed = vi.fn(() => true);
  const { lines, shards, watch } = make(async () => true, { failed });
  watch.update([frontendPlan([nodePlan(1)])], []);
  shards.onNodeEvent(1, 'ejected', ECONNREFUSED);
  shards.onNodeEvent(1, 'trial-failed', ECONNREFUSED);
  const why = 'sessions could not connect to it: ECONNREFUSED (connection refused)';
  expect(failed.mock.calls).toEqual([
    [1, 'session', why, false],
    [1, 'session', why, true],
  ]);
  expect(lines).toEqual([]);
});

test('one that has failed everywhere is out, and is tried elsewhere, which does not end its ejection', () => {
  const { lines, nodeStates, shards, watch } = make(async () => true, { tryElsewhere: () => '192.0.2.9' });
  const serve = (ip: string, stillOut: number[]) =>
    watch.update([frontendPlan([nodePlan(1, { ip: ipOf(ip) })])], [], new Set(stillOut));
  serve('192.0.2.1', []);
  eject(nodeStates, 1);
  shards.onNodeEvent(1, 'ejected', ECONNREFUSED);
  serve('192.0.2.9', [1]);
  expect(nodeStates.isEjected[1]).toBe(1);
  expect(nodeStates.movedMs[1]).toBeGreaterThan(monotonicMs());
  expect(lines).toEqual([
    expect.stringMatching(
      /^warn: node node-1 .* is out for 5 s, and is tried at 192\.0\.2\.9 then: sessions could not connect/,
    ),
  ]);
});

test.each([
  ['DOWN: its checks go round by themselves', HEALTH_DOWN, true],
  ['not known to its checks yet: they will tell', HEALTH_UNKNOWN, true],
  ['UP: its checks find nothing against where it is', HEALTH_UP, true],
  ['not checked', HEALTH_UNKNOWN, false],
])('whether it is tried elsewhere when it is %s', (_name, health, isChecked) => {
  const tryElsewhere = vi.fn(() => undefined);
  const { nodeStates, shards, watch } = make(async () => true, { tryElsewhere });
  watch.update([frontendPlan([nodePlan(1)])], isChecked ? [makeTarget(1, { row: 1, intervalMs: 60_000 })] : []);
  nodeStates.health[1] = health;
  shards.onNodeEvent(1, 'ejected', ECONNREFUSED);
  expect(tryElsewhere.mock.calls.length).toBe(health === HEALTH_UP || !isChecked ? 1 : 0);
});

test('a node that goes elsewhere because it is down where it was is not said to be DOWN; its sessions there are cut', async () => {
  const cut = vi.fn(async (_row: number) => true);
  const failed = vi.fn(() => true);
  const { lines, watch } = make(cut, { failed });
  watch.update([frontendPlan([nodePlan(0)])], [makeTarget(await freePort(), { intervalMs: 20, attempts: 1 })]);
  await eventually('the sessions to be cut', () => cut.mock.calls.length > 0);
  expect(cut.mock.calls).toEqual([[0]]);
  expect(failed.mock.calls).toEqual([[0, 'check', expect.stringMatching(/^its check failed: connection refused/)]]);
  expect(lines).toEqual([]);
});
