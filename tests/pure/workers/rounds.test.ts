// A node that is out everywhere goes on to its next address for as long as sessions fail to connect to it.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Rounds, STEP_MS } from '../../../workers/rounds.ts';

const ROW = 7;
let failures: number;
let isOut: boolean;
let mayGo: boolean;
let steps: number;
let rounds: Rounds;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  failures = 3;
  isOut = true;
  mayGo = true;
  steps = 0;
  rounds = new Rounds({ failuresOf: () => failures, isOut: () => isOut, mayGo: () => mayGo, goOn: () => steps++ });
  rounds.begin(ROW);
});
afterEach(() => {
  rounds.stop();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

/** @param more connects that fail meanwhile */
function pass(more: number): number {
  failures += more;
  vi.advanceTimersByTime(STEP_MS);
  return steps;
}

test('it goes on once for whatever failed since, and waits where nobody comes', () => {
  expect([pass(0), pass(1), pass(40), pass(0), pass(1)]).toEqual([0, 1, 2, 2, 3]);
});

test('it waits while something else decides where it is', () => {
  mayGo = false;
  expect(pass(1)).toBe(0);
  mayGo = true;
  expect(pass(0)).toBe(1);
});

test('what failed before something else sent it on says nothing of where it is now', () => {
  failures += 5;
  rounds.begin(ROW);
  expect([pass(0), pass(1)]).toEqual([0, 1]);
});

test('it stays where it is from the moment in which it is out no more, and begins anew when it is out again', () => {
  isOut = false;
  expect([pass(1), pass(1)]).toEqual([0, 0]);
  isOut = true;
  expect(pass(1)).toBe(0);
  rounds.begin(ROW);
  rounds.begin(ROW);
  expect([pass(1), pass(1)]).toEqual([1, 2]);
});
