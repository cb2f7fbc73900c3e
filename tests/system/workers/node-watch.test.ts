// What follows from a node's condition besides the word about it: cuts that every shard has heard of, and ejections that belong to an
// address, not to a name.

import { afterEach, expect, test, vi } from 'vitest';
import { monotonicMs } from '../../../core/base/clock.ts';
import { ECONNREFUSED } from '../../../core/base/errno.ts';
import { NO_TRIAL, noteConnectFailure } from '../../../core/health/ejection.ts';
import { createNodeStates, nodeStatesBytes } from '../../../core/health/node-states.ts';
import { ipOf } from '../../../testing/loopback.ts';
import { freePort } from '../../../testing/ports.ts';
import { eventually } from '../../../testing/process.ts';
import { EventLog } from '../../../workers/event-log.ts';
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

function make(cut: (row: number) => Promise<boolean>) {
  const nodeStates = createNodeStates(new SharedArrayBuffer(nodeStatesBytes(2)), 2);
  const { lines, ...logger } = makeNotebook();
  const shards = { nodeStates, cut, onNodeEvent: () => {} };
  watch = new NodeWatch(
    shards as unknown as ShardSet,
    { cutAfterMs: 0, checkDescriptors: 64 },
    logger,
    new EventLog(logger),
  );
  return { lines, nodeStates, watch };
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
  for (let i = 0; i < 3; i++) noteConnectFailure(nodeStates, 1, NO_TRIAL, 5000, ECONNREFUSED, 1000);
  serve('192.0.2.1');
  expect(nodeStates.isEjected[1]).toBe(1);
  serve('192.0.2.2');
  expect([nodeStates.isEjected[1], nodeStates.outUntilMs[1], nodeStates.ejections[1]]).toEqual([0, 0, 0]);
  expect(nodeStates.movedMs[1]).toBeGreaterThan(monotonicMs());
});
