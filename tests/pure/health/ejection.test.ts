// Passive checks as a function of shared cells and time: when a node is ejected, for how long, who may try it, what brings it back.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ECONNREFUSED, ETIMEDOUT } from '../../../core/base/errno.ts';
import {
  claimTrial,
  EJECTION_MS,
  EJECTION_MS_MAX,
  isTrialDue,
  NO_TRIAL,
  noteConnectFailure,
  noteConnectSuccess,
  RELAPSE_MS,
  trialDueMs,
} from '../../../core/health/ejection.ts';
import {
  clearNodeState,
  conditionReason,
  createNodeStates,
  epochOf,
  HEALTH_DOWN,
  HEALTH_UP,
  type NodeStates,
  nodeStatesBytes,
  REASON,
  setHealth,
} from '../../../core/health/node-states.ts';
import { holds } from '../../../testing/suite/property.ts';

const ROW = 1;
const WITHIN_MS = 5000;
const TRIAL_MS = 6000;
const START_MS = 1_000_000;

function make(): NodeStates {
  return createNodeStates(new SharedArrayBuffer(nodeStatesBytes(3)), 3);
}

function fail(states: NodeStates, nowMs: number, errno = ECONNREFUSED, trial = NO_TRIAL) {
  return noteConnectFailure(states, ROW, trial, WITHIN_MS, errno, nowMs);
}

/** @returns the trial of the session that claims it, or NO_TRIAL */
function claim(states: NodeStates, nowMs: number): number {
  return claimTrial(states, ROW, TRIAL_MS, nowMs);
}

function reason(states: NodeStates): string {
  return conditionReason(states, ROW, true);
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
    expect(reason(states)).toMatch(/^sessions could not connect to it: .*timed out/i);
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
    expect(claim(states, untilMs - 1)).toBe(NO_TRIAL);
    expect(claim(states, untilMs)).not.toBe(NO_TRIAL);
    expect(claim(states, untilMs)).toBe(NO_TRIAL);
    expect(claim(states, untilMs + TRIAL_MS - 1)).toBe(NO_TRIAL);
  });

  test('may be tried by another session when the first never said how it went', () => {
    const states = make();
    const untilMs = eject(states, START_MS);
    claim(states, untilMs);
    expect(trialDueMs(states, ROW, TRIAL_MS, untilMs + 100)).toBe(untilMs + TRIAL_MS);
    expect(claim(states, untilMs + TRIAL_MS)).not.toBe(NO_TRIAL);
  });

  test('stays out twice as long after each failed trial, up to a minute', () => {
    const states = make();
    let nowMs = eject(states, START_MS);
    const lengths: number[] = [];
    for (let i = 0; i < 7; i++) {
      const trial = claim(states, nowMs);
      expect(trial).not.toBe(NO_TRIAL);
      expect(fail(states, nowMs, ECONNREFUSED, trial)).toBe('trial-failed');
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

  // With a connect timeout longer than the ejection, sessions from before it still fail while the trial is under way.
  test('is kept out longer by the session that tries it alone, whoever else fails meanwhile', () => {
    const states = make();
    const untilMs = eject(states, START_MS);
    const trial = claim(states, untilMs + 1);
    expect([fail(states, untilMs + 1), fail(states, untilMs + 2, ETIMEDOUT)]).toEqual(['none', 'none']);
    expect(states.outUntilMs[ROW]).toBe(untilMs);
    expect(claim(states, untilMs + 3)).toBe(NO_TRIAL);
    expect(fail(states, untilMs + 4, ECONNREFUSED, trial)).toBe('trial-failed');
    expect(states.outUntilMs[ROW]).toBe(untilMs + 4 + 2 * EJECTION_MS);
  });

  test('is not kept out by a trial that took so long that another has begun', () => {
    const states = make();
    const untilMs = eject(states, START_MS);
    const slow = claim(states, untilMs);
    const next = claim(states, untilMs + TRIAL_MS);
    expect(fail(states, untilMs + TRIAL_MS + 1, ETIMEDOUT, slow)).toBe('none');
    expect(fail(states, untilMs + TRIAL_MS + 2, ETIMEDOUT, next)).toBe('trial-failed');
    // Nor by one that failed after another session had brought the node back, and it was ejected anew.
    const late = claim(states, states.outUntilMs[ROW] ?? 0);
    const backMs = states.outUntilMs[ROW] ?? 0;
    expect(noteConnectSuccess(states, ROW, backMs)).toBe('readmitted');
    const outUntilMs = eject(states, backMs + 1);
    expect(fail(states, backMs + 2, ETIMEDOUT, late)).toBe('none');
    expect(states.outUntilMs[ROW]).toBe(outUntilMs);
  });

  test('comes back with the first session that connects, and begins its slow start', () => {
    const states = make();
    const untilMs = eject(states, START_MS);
    claim(states, untilMs);
    expect(noteConnectSuccess(states, ROW, untilMs + 3)).toBe('readmitted');
    expect([isOut(states), states.rampFromMs[ROW], reason(states)]).toEqual([
      false,
      untilMs + 3,
      'a session connected to it again',
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

describe('the reason that is given', () => {
  const BY_SESSIONS = 'sessions could not connect to it: ECONNREFUSED (connection refused)';
  const check = (states: NodeStates, health: number, nowMs: number) =>
    setHealth(states, ROW, health, health === HEALTH_UP ? REASON.connected : REASON.timeout, 0, nowMs);

  test('of an ejected node is that of its ejection, whatever checks find before or after', () => {
    const states = make();
    check(states, HEALTH_UP, START_MS - 1);
    eject(states, START_MS);
    expect(reason(states)).toBe(BY_SESSIONS);
    check(states, HEALTH_UP, START_MS + 1);
    expect(reason(states)).toBe(BY_SESSIONS);
    check(states, HEALTH_DOWN, START_MS + 2);
    expect(reason(states)).toBe(`no answer within check_timeout; ${BY_SESSIONS}`);
  });

  test('of a failed trial is what that met', () => {
    const states = make();
    const untilMs = eject(states, START_MS);
    fail(states, untilMs, ETIMEDOUT, claim(states, untilMs));
    expect(reason(states)).toMatch(/^sessions could not connect to it: ETIMEDOUT/);
  });

  test('of a node that is back is the later word, and that of checks while they say that it is down', () => {
    const states = make();
    check(states, HEALTH_UP, START_MS - 1);
    const untilMs = eject(states, START_MS);
    noteConnectSuccess(states, ROW, untilMs);
    expect(reason(states)).toBe('a session connected to it again');
    check(states, HEALTH_DOWN, untilMs + 1);
    expect(reason(states)).toBe('no answer within check_timeout');
    check(states, HEALTH_UP, untilMs + 2);
    expect(reason(states)).toBe('it takes connections');
  });

  test('is that of checks where sessions do not count', () => {
    const states = make();
    eject(states, START_MS);
    expect(conditionReason(states, ROW, false)).toBe('not checked');
  });
});

test('every change that shards must see raises the epoch', () => {
  const states = make();
  const seen = [epochOf(states)];
  const note = () => seen.push(epochOf(states));
  const untilMs = eject(states, START_MS);
  note();
  const trial = claim(states, untilMs);
  note();
  fail(states, untilMs, ECONNREFUSED, trial);
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
  expect(claim(states, untilMs)).not.toBe(NO_TRIAL);
  expect(isTrialDue(states, ROW, TRIAL_MS, untilMs + 10)).toBe(false);
  expect(isTrialDue(states, ROW, TRIAL_MS, untilMs + TRIAL_MS)).toBe(true);
});

test('whatever happens: out only after three failures within the interval, never for more than a minute, one trial at a time', () => {
  const step = fc.record({
    afterMs: fc.integer({ min: 0, max: 20_000 }),
    what: fc.constantFrom('fail', 'fail the trial', 'succeed', 'try'),
  });
  holds(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const states = make();
      let nowMs = START_MS;
      let failures: number[] = [];
      let trialMs = Number.NEGATIVE_INFINITY;
      let trial = NO_TRIAL;
      for (const { afterMs, what } of steps) {
        nowMs += afterMs;
        const wasOut = isOut(states);
        if (what === 'succeed') {
          noteConnectSuccess(states, ROW, nowMs);
          failures = [];
          if (!isOut(states)) trialMs = Number.NEGATIVE_INFINITY;
          expect(isOut(states)).toBe(wasOut && nowMs < (states.outUntilMs[ROW] ?? 0));
        } else if (what === 'fail' || what === 'fail the trial') {
          const mine = what === 'fail' ? NO_TRIAL : trial;
          const event = fail(states, nowMs, ECONNREFUSED, mine);
          if (!wasOut) failures.push(nowMs);
          const third = failures.at(-3);
          expect(event === 'ejected').toBe(!wasOut && third !== undefined && nowMs - third <= WITHIN_MS);
          if (mine === NO_TRIAL) expect(event).not.toBe('trial-failed');
          if (event === 'trial-failed') trialMs = Number.NEGATIVE_INFINITY;
          if (event === 'ejected') failures = failures.slice(-2);
          expect((states.outUntilMs[ROW] ?? 0) - nowMs).toBeLessThanOrEqual(EJECTION_MS_MAX);
        } else if (wasOut) {
          const claimed = claim(states, nowMs);
          if (claimed === NO_TRIAL) continue;
          trial = claimed;
          expect(nowMs).toBeGreaterThanOrEqual(states.outUntilMs[ROW] ?? 0);
          expect(nowMs - trialMs).toBeGreaterThanOrEqual(TRIAL_MS);
          trialMs = nowMs;
        }
      }
    }),
  );
});
