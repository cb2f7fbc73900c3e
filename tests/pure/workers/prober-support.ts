// A prober in simulated time: its checks are a function of the test's, and its clock and its timers are the test's too. Vitest's own
// fake timers cannot be late, and how late ones are met is half of what is tested.

import fc from 'fast-check';
import { vi } from 'vitest';
import { formatIp, parseIp } from '../../../core/base/ip.ts';
import { createNodeStates, type NodeStates, nodeStatesBytes, REASON } from '../../../core/health/node-states.ts';
import type { CheckResult, CheckTarget, RunCheck } from '../../../workers/checks/target.ts';
import { Prober } from '../../../workers/prober.ts';

export const PASSED: CheckResult = { ok: true, reason: REASON.connected, detail: 0, tookMs: 1 };
/** As a node that never answers: its result comes after the whole timeout. */
export const SILENT: CheckResult = { ok: false, reason: REASON.timeout, detail: 0, tookMs: 3000 };
export const REFUSED: CheckResult = { ok: false, reason: REASON.connectError, detail: 111, tookMs: 1 };

const ROWS = 4096;

export function makeTarget(row: number, changes: Partial<CheckTarget> = {}): CheckTarget {
  return {
    row,
    frontend: 0,
    name: `node-${row} (192.0.2.1:8080) of web port 80`,
    check: 'connection',
    ip: parseIp(`192.0.${row >> 8}.${row & 0xff}`),
    ips: [],
    port: 8080,
    host: `192.0.${row >> 8}.${row & 0xff}`,
    proxyProtocol: 'none',
    intervalMs: 5000,
    timeoutMs: 3000,
    attempts: 3,
    path: '',
    body: '',
    ...changes,
  };
}

export function makeTargets(count: number, changes: Partial<CheckTarget> = {}): CheckTarget[] {
  return Array.from({ length: count }, (_, row) => makeTarget(row, changes));
}

interface Timer {
  readonly dueMs: number;
  readonly fall: () => void;
}

/** Timers that fall in the order of their times, at the very time. */
export class Time {
  nowMs = 1_000_000.25;
  readonly #timers = new Set<Timer>();

  /** Takes the place of the real ones until `vi.unstubAllGlobals`. */
  constructor() {
    vi.stubGlobal('setTimeout', (fall: () => void, ms: number): Timer => {
      const timer = { dueMs: this.nowMs + Math.max(0, ms), fall };
      this.#timers.add(timer);
      return timer;
    });
    vi.stubGlobal('clearTimeout', (timer: Timer | undefined) => timer !== undefined && this.#timers.delete(timer));
  }

  get pending(): number {
    return this.#timers.size;
  }

  pass(ms: number): void {
    const endMs = this.nowMs + ms;
    for (let timer = this.#next(); timer !== undefined && timer.dueMs <= endMs; timer = this.#next()) {
      this.nowMs = timer.dueMs;
      this.#fall(timer);
    }
    this.nowMs = endMs;
  }

  /** Time passes without us; then everything that has become due falls at once. */
  suspend(ms: number): void {
    this.nowMs += ms;
    for (const timer of [...this.#timers].toSorted((a, b) => a.dueMs - b.dueMs)) {
      if (timer.dueMs <= this.nowMs && this.#timers.has(timer)) this.#fall(timer);
    }
  }

  #fall(timer: Timer): void {
    this.#timers.delete(timer);
    timer.fall();
  }

  #next(): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) if (next === undefined || timer.dueMs < next.dueMs) next = timer;
    return next;
  }
}

export interface Check {
  readonly row: number;
  readonly target: CheckTarget;
  readonly startedMs: number;
  readonly signal: AbortSignal;
  readonly finish: (result: CheckResult) => void;
}

export interface Transition {
  readonly atMs: number;
  readonly row: number;
  readonly health: string;
  readonly text: string;
}

export interface World {
  readonly prober: Prober;
  readonly states: NodeStates;
  readonly checks: Check[];
  readonly transitions: Transition[];
  /** where nodes that are down answered, as text */
  readonly answers: string[];
  readonly time: Time;
  startsOf(row: number): number[];
}

/** @param answer what a check finds after `latencyMs`, SILENT after the timeout; undefined: the test finishes it */
export function makeWorld(
  answer: (target: CheckTarget, nowMs: number) => CheckResult | undefined,
  { latencyMs = 1, random = makeRandom(1), checksMax = ROWS } = {},
): World {
  const time = new Time();
  const states = createNodeStates(new SharedArrayBuffer(nodeStatesBytes(ROWS)), ROWS);
  const checks: Check[] = [];
  const transitions: Transition[] = [];
  const answers: string[] = [];
  const runCheck: RunCheck = (target, signal, finish) => {
    checks.push({ row: target.row, target, startedMs: time.nowMs, signal, finish });
    const result = answer(target, time.nowMs);
    const afterMs = result === SILENT ? target.timeoutMs : latencyMs;
    if (result !== undefined) setTimeout(() => signal.aborted || finish(result), afterMs);
  };
  const prober = new Prober({
    states,
    nowMs: () => time.nowMs,
    runCheck,
    checksMax,
    random,
    onTransition: ({ row }, health, text) => transitions.push({ atMs: time.nowMs, row, health, text }),
    onAnswer: (_, ip) => answers.push(formatIp(ip, 0)),
  });
  return {
    prober,
    states,
    checks,
    transitions,
    answers,
    time,
    startsOf: (row) => checks.filter((check) => check.row === row).map(({ startedMs }) => startedMs),
  };
}

/** mulberry32: the same numbers for the same seed. */
export function makeRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Chance, and the ends of its range: a bound that holds on average is none. */
export const someRandom = fc.oneof(
  fc.integer({ min: 1, max: 1_000_000 }).map((seed) => () => makeRandom(seed)),
  fc.constantFrom(0, 1 - 2 ** -32).map((value) => () => () => value),
);
