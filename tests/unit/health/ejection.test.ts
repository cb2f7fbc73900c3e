// Passive checks as a function of shared cells and time: when a node is ejected, for how long, who may try it, what brings it back.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ECONNREFUSED, ETIMEDOUT } from '../../../core/base/errno.ts';
import {
  claimTrial,
  EJECTION_MS,
  EJECTION_MS_MAX,
  isTrialDue,
  noteConnectFailure,
  noteConnectSuccess,
  RELAPSE_MS,
  trialDueMs,
} from '../../../core/health/ejection.ts';
import {
  clearNodeState,
  createNodeStates,
  describeReason,
  epochOf,
  type NodeStates,
  nodeStatesBytes,
  REASON,
} from '../../../core/health/node-states.ts';

const ROW = 1;
const WITHIN_MS = 5000;
const TRIAL_MS = 6000;
const START_MS = 1_000_000;

function make(): NodeStates {
  return createNodeStates(new SharedArrayBuffer(nodeStatesBytes(3)), 3);
}

function fail(states: NodeStates, nowMs: number, errno = ECONNREFUSED) {
  return noteConnectFailure(states, ROW, WITHIN_MS, errno, nowMs);
}

function isOut(states: NodeStates): boolean {
  return states.isEjected[ROW] === 1;
}

/** Three failures at once. @returns when sessions may try the node */
function eject(states: NodeStates, nowMs: number): number {
  fail(states, nowMs);
  fail(states, nowMs);
  expect(fail(states, nowMs)).toBe('ejected');
  return states.outUntilMs[ROW] ?? 0;
}

describe('a node is ejected', () => {
  test('by the third failure in a row within the interval, not by one or two', () => {
    const states = make();
    expect([fail(states, START_MS), fail(states, START_MS + 2000)]).toEqual(['none', 'none']);
    expect(isOut(states)).toBe(false);
    expect(fail(states, START_MS + WITHIN_MS, ETIMEDOUT)).toBe('ejected');
    expect(describeReason(states.reason[ROW] ?? 0, states.detail[ROW] ?? 0)).toMatch(
      /^sessions could not connect to it: .*timed out/i,
    );
    expect(states.changedMs[ROW]).toBe(START_MS + WITHIN_MS);
  });

  test('not by three that are spread over more than the interval', () => {
    const states = make();
    for (let i = 0; i < 50; i++) fail(states, START_MS + i * (WITHIN_MS / 2 + 1));
    expect(isOut(states)).toBe(false);
  });

  test('by the last three, whenever the ones before were', () => {
    const states = make();
    const times = [0, 4000, 5100, 8900];
    expect(times.map((at) => fail(states, START_MS + at))).toEqual(['none', 'none', 'none', 'ejected']);
  });

  test('not when a session succeeded in between', () => {
    const states = make();
    for (let i = 0; i < 20; i++) {
      fail(states, START_MS + i);
      fail(states, START_MS + i);
      expect(noteConnectSuccess(states, ROW, START_MS + i)).toBe('none');
    }
    expect(isOut(states)).toBe(false);
  });

  test('and no other node with it', () => {
    const states = make();
    eject(states, START_MS);
    expect([...states.isEjected]).toEqual([0, 1, 0]);
  });
});

describe('an ejected node', () => {
  test('is out for five seconds, then tried by one session at a time', () => {
    const states = make();
    const untilMs = eject(states, START_MS);
    expect(untilMs).toBe(START_MS + EJECTION_MS);
    expect(claimTrial(states, ROW, TRIAL_MS, untilMs - 1)).toBe(false);
    expect(claimTrial(states, ROW, TRIAL_MS, untilMs)).toBe(true);
    expect(claimTrial(states, ROW, TRIAL_MS, untilMs)).toBe(false);
    expect(claimTrial(states, ROW, TRIAL_MS, untilMs + TRIAL_MS - 1)).toBe(false);
  });

  test('may be tried by another session when the first never said how it went', () => {
    const states = make();
    const untilMs = eject(states, START_MS);
    claimTrial(states, ROW, TRIAL_MS, untilMs);
    expect(trialDueMs(states, ROW, TRIAL_MS, untilMs + 100)).toBe(untilMs + TRIAL_MS);
    expect(claimTrial(states, ROW, TRIAL_MS, untilMs + TRIAL_MS)).toBe(true);
  });

  test('stays out twice as long after each failed trial, up to a minute', () => {
    const states = make();
    let nowMs = eject(states, START_MS);
    const lengths: number[] = [];
    for (let i = 0; i < 7; i++) {
      expect(claimTrial(states, ROW, TRIAL_MS, nowMs)).toBe(true);
      expect(fail(states, nowMs)).toBe('trial-failed');
      lengths.push((states.outUntilMs[ROW] ?? 0) - nowMs);
      nowMs = states.outUntilMs[ROW] ?? 0;
    }
    expect(lengths).toEqual([
      10_000,
      20_000,
      40_000,
      EJECTION_MS_MAX,
      EJECTION_MS_MAX,
      EJECTION_MS_MAX,
      EJECTION_MS_MAX,
    ]);
  });

  test('is not pushed out further by sessions that were under way before', () => {
    const states = make();
    const untilMs = eject(states, START_MS);
    expect([fail(states, START_MS + 10), fail(states, START_MS + 20), fail(states, START_MS + 30)]).toEqual([
      'none',
      'none',
      'none',
    ]);
    expect(states.outUntilMs[ROW]).toBe(untilMs);
  });

  test('comes back with the first session that connects, and begins its slow start', () => {
    const states = make();
    const untilMs = eject(states, START_MS);
    claimTrial(states, ROW, TRIAL_MS, untilMs);
    expect(noteConnectSuccess(states, ROW, untilMs + 3)).toBe('readmitted');
    expect([isOut(states), states.rampFromMs[ROW], states.reason[ROW]]).toEqual([
      false,
      untilMs + 3,
      REASON.sessionSucceeded,
    ]);
    expect(noteConnectSuccess(states, ROW, untilMs + 4)).toBe('none');
  });

  test('does not come back early by sessions that had no other node', () => {
    const states = make();
    const untilMs = eject(states, START_MS);
    expect(noteConnectSuccess(states, ROW, untilMs - 1)).toBe('none');
    expect(isOut(states)).toBe(true);
    expect(noteConnectSuccess(states, ROW, untilMs)).toBe('readmitted');
  });

  test('that relapses soon goes on where it was; one that held out begins anew', () => {
    const states = make();
    const backMs = eject(states, START_MS);
    noteConnectSuccess(states, ROW, backMs);
    const againMs = eject(states, backMs + RELAPSE_MS);
    expect(againMs - (backMs + RELAPSE_MS)).toBe(2 * EJECTION_MS);
    noteConnectSuccess(states, ROW, againMs);
    expect(eject(states, againMs + RELAPSE_MS + 1) - (againMs + RELAPSE_MS + 1)).toBe(EJECTION_MS);
  });
});

test('every change that shards must see raises the epoch', () => {
  const states = make();
  const seen = [epochOf(states)];
  const note = () => seen.push(epochOf(states));
  const untilMs = eject(states, START_MS);
  note();
  claimTrial(states, ROW, TRIAL_MS, untilMs);
  note();
  fail(states, untilMs);
  note();
  noteConnectSuccess(states, ROW, untilMs + 2 * EJECTION_MS);
  note();
  clearNodeState(states, ROW);
  note();
  expect(new Set(seen).size).toBe(seen.length);
  expect(states.backMs[ROW]).toBe(0);
});

test('the clock may go round the 32 bits of a trial’s time', () => {
  const states = make();
  const untilMs = eject(states, 2 ** 31 - EJECTION_MS - 2);
  expect(claimTrial(states, ROW, TRIAL_MS, untilMs)).toBe(true);
  expect(isTrialDue(states, ROW, TRIAL_MS, untilMs + 10)).toBe(false);
  expect(isTrialDue(states, ROW, TRIAL_MS, untilMs + TRIAL_MS)).toBe(true);
});

test('whatever happens: out only after three failures within the interval, never for more than a minute, one trial at a time', () => {
  const step = fc.record({
    afterMs: fc.integer({ min: 0, max: 20_000 }),
    what: fc.constantFrom('fail', 'succeed', 'try'),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const states = make();
      let nowMs = START_MS;
      let failures: number[] = [];
      let trialMs = Number.NEGATIVE_INFINITY;
      for (const { afterMs, what } of steps) {
        nowMs += afterMs;
        const wasOut = isOut(states);
        if (what === 'succeed') {
          noteConnectSuccess(states, ROW, nowMs);
          failures = [];
          if (!isOut(states)) trialMs = Number.NEGATIVE_INFINITY;
          expect(isOut(states)).toBe(wasOut && nowMs < (states.outUntilMs[ROW] ?? 0));
        } else if (what === 'fail') {
          const event = fail(states, nowMs);
          if (!wasOut) failures.push(nowMs);
          const third = failures.at(-3);
          expect(event === 'ejected').toBe(!wasOut && third !== undefined && nowMs - third <= WITHIN_MS);
          if (event === 'trial-failed') trialMs = Number.NEGATIVE_INFINITY;
          if (event === 'ejected') failures = failures.slice(-2);
          expect((states.outUntilMs[ROW] ?? 0) - nowMs).toBeLessThanOrEqual(EJECTION_MS_MAX);
        } else if (wasOut && claimTrial(states, ROW, TRIAL_MS, nowMs)) {
          expect(nowMs).toBeGreaterThanOrEqual(states.outUntilMs[ROW] ?? 0);
          expect(nowMs - trialMs).toBeGreaterThanOrEqual(TRIAL_MS);
          trialMs = nowMs;
        }
      }
    }),
  );
});
