// Has the nodes checked, again and again, one prober for all shards: it decides when, counts results and writes health into the shared
// cells. How a node is checked is told in checks/. It runs on the main thread and says nothing: whoever made it logs the changes.
//
//   scheduled --its time--> waiting --fewer than checksMax--> under way --result--> scheduled
//
// With a place for each node nobody waits. Where there are fewer, a node that does not answer is found late.
//
// A node is checked where it is. One that is down and has other addresses is checked at each of them in turn: it comes back where it
// answers.

import {
  HEALTH_DOWN,
  HEALTH_UNKNOWN,
  type Health,
  healthName,
  type NodeStates,
  REASON,
  setHealth,
} from '../core/health/node-states.ts';
import { afterFailure, afterSuccess, NEVER_CHECKED, type RiseFall } from '../core/health/rise-fall.ts';
import { FIRST_STEP_MS, firstGapMs, gapMs, JITTER, REPEAT_MS_MAX } from './check-pace.ts';
import { transitionReason } from './checks/message.ts';
import type { CheckResult, CheckTarget, CheckVerdict, RunCheck } from './checks/target.ts';

export interface ProberOptions {
  readonly states: NodeStates;
  /** a monotonic clock */
  readonly nowMs: () => number;
  /** @param text what happened to the node and why, in one line @param why the reason alone */
  readonly onTransition: (target: CheckTarget, health: Health, text: string, why: string) => void;
  /** a node that is down has answered, at an address where it was not looked for until now */
  readonly onAnswer: (target: CheckTarget, ip: Uint8Array) => void;
  readonly runCheck: RunCheck;
  /** checks under way at a time, each an open socket; further ones wait their turn */
  readonly checksMax: number;
  /** from 0 up to 1 */
  readonly random?: () => number;
}

/** A node's checks. */
interface Probe {
  /** with the address that is checked next: that of the node, unless it is down */
  target: CheckTarget;
  /** where the node is */
  homeIp: Uint8Array | undefined;
  state: RiseFall;
  phase: 'scheduled' | 'waiting' | 'under way';
  /** in phase scheduled: when the next check is to start */
  dueMs: number;
  /** when the last one started, and for which frontend it counts */
  startedMs: number;
  frontend: number;
  /** from the start of the first check to that of the second; undefined when there has been a second */
  firstGapMs: number | undefined;
  timer: NodeJS.Timeout | undefined;
  /** ends everything that its checks have open */
  readonly controller: AbortController;
}

export class Prober {
  readonly #states: NodeStates;
  readonly #nowMs: () => number;
  readonly #onTransition: ProberOptions['onTransition'];
  readonly #onAnswer: ProberOptions['onAnswer'];
  readonly #runCheck: RunCheck;
  readonly #checksMax: number;
  readonly #random: () => number;
  /** by row */
  readonly #probes = new Map<number, Probe>();
  /** exactly those in phase waiting, the first first */
  readonly #waiting = new Set<Probe>();
  #underWay = 0;
  /** by row of the frontend; none of 0 */
  readonly #underWayOf = new Map<number, number>();

  constructor({ states, nowMs, onTransition, onAnswer, runCheck, checksMax, random = Math.random }: ProberOptions) {
    this.#states = states;
    this.#nowMs = nowMs;
    this.#onTransition = onTransition;
    this.#onAnswer = onAnswer;
    this.#runCheck = runCheck;
    this.#checksMax = checksMax;
    this.#random = random;
  }

  /** From now on these are checked and no others. A node keeps its health and its counts while its row and its address stay. */
  update(targets: readonly CheckTarget[]): void {
    const rows = new Set(targets.map(({ row }) => row));
    for (const probe of [...this.#probes.values()]) if (!rows.has(probe.target.row)) this.#forget(probe);
    const added = targets.filter((target) => !this.#keep(target));
    for (const [index, target] of added.entries()) this.#add(target, index, added.length);
    this.#startWaiting();
  }

  /** Ends all checks. What is known of the nodes stays in the cells. */
  stop(): void {
    for (const probe of [...this.#probes.values()]) this.#drop(probe);
  }

  /** @returns false when the target is new, or its row now has another address than before */
  #keep(target: CheckTarget): boolean {
    const probe = this.#probes.get(target.row);
    if (probe === undefined) return false;
    if (!goesOn(probe, target)) {
      // Whoever has moved it has told so.
      this.#drop(probe);
      this.#resetHealth(target.row);
      return false;
    }
    const isRound = isSameIp(probe.homeIp, target.ip) && target.ips.some((ip) => isSameIp(ip, probe.target.ip));
    const isShorter = target.intervalMs < probe.target.intervalMs;
    probe.target = isRound ? { ...target, ip: probe.target.ip } : target;
    probe.homeIp = target.ip;
    if (isShorter && probe.phase === 'scheduled') {
      this.#schedule(probe, Math.min(probe.dueMs, this.#nowMs() + this.#random() * target.intervalMs));
    }
    return true;
  }

  /** The first check soon, a step after that of the node before; the second where the node's place in the interval is. */
  #add(target: CheckTarget, index: number, count: number): void {
    const { row, intervalMs } = target;
    const firstAfterMs = (index * FIRST_STEP_MS) % intervalMs;
    const probe: Probe = {
      target,
      homeIp: target.ip,
      state: NEVER_CHECKED,
      phase: 'scheduled',
      dueMs: 0,
      startedMs: 0,
      frontend: target.frontend,
      firstGapMs: firstGapMs(((index + 1) * intervalMs) / count - firstAfterMs, intervalMs, count),
      timer: undefined,
      controller: new AbortController(),
    };
    this.#probes.set(row, probe);
    this.#resetHealth(row);
    this.#schedule(probe, this.#nowMs() + firstAfterMs + this.#random() * FIRST_STEP_MS);
  }

  #forget(probe: Probe): void {
    this.#drop(probe);
    const { target, state } = probe;
    this.#resetHealth(target.row);
    if (state.health === HEALTH_UNKNOWN) return;
    const why = 'not checked any more';
    this.#onTransition(target, 'unknown', `node ${target.name} is ${why}: its health is unknown`, why);
  }

  #drop(probe: Probe): void {
    clearTimeout(probe.timer);
    this.#probes.delete(probe.target.row);
    this.#waiting.delete(probe);
    if (probe.phase === 'under way') this.#countUnderWay(probe.frontend, -1);
    probe.controller.abort();
  }

  #resetHealth(row: number): void {
    if (this.#states.health[row] === HEALTH_UNKNOWN) return;
    setHealth(this.#states, row, HEALTH_UNKNOWN, REASON.notChecked, 0, this.#nowMs());
  }

  #schedule(probe: Probe, dueMs: number): void {
    clearTimeout(probe.timer);
    probe.phase = 'scheduled';
    probe.dueMs = dueMs;
    probe.timer = setTimeout(() => this.#fall(probe), Math.max(0, dueMs - this.#nowMs()));
  }

  /** Its time has come. */
  #fall(probe: Probe): void {
    const { intervalMs } = probe.target;
    const nowMs = this.#nowMs();
    // The process was suspended, and every node's time has come at once.
    if (nowMs - probe.dueMs > intervalMs / 2) {
      probe.firstGapMs = undefined;
      return this.#schedule(probe, nowMs + this.#random() * intervalMs);
    }
    probe.phase = 'waiting';
    this.#waiting.add(probe);
    this.#startWaiting();
  }

  #startWaiting(): void {
    while (this.#underWay < this.#checksMax) {
      const probe = this.#nextWaiting();
      if (probe === undefined) return;
      this.#waiting.delete(probe);
      this.#start(probe);
    }
  }

  /** Who waits longest in the frontend with the fewest checks under way: a thousand silent nodes must not hide the death of another. */
  #nextWaiting(): Probe | undefined {
    let next: Probe | undefined;
    let fewest = Number.POSITIVE_INFINITY;
    for (const probe of this.#waiting) {
      const underWay = this.#underWayOf.get(probe.target.frontend) ?? 0;
      if (underWay >= fewest) continue;
      next = probe;
      fewest = underWay;
      if (underWay === 0) break;
    }
    return next;
  }

  #countUnderWay(frontend: number, change: 1 | -1): void {
    this.#underWay += change;
    const underWay = (this.#underWayOf.get(frontend) ?? 0) + change;
    if (underWay === 0) this.#underWayOf.delete(frontend);
    else this.#underWayOf.set(frontend, underWay);
  }

  #start(probe: Probe): void {
    const { signal } = probe.controller;
    probe.phase = 'under way';
    probe.startedMs = this.#nowMs();
    probe.frontend = probe.target.frontend;
    this.#countUnderWay(probe.frontend, 1);
    this.#runCheck(probe.target, signal, (result) => {
      if (!signal.aborted) this.#finish(probe, result);
    });
  }

  #finish(probe: Probe, result: CheckResult): void {
    const { state } = probe;
    this.#countUnderWay(probe.frontend, -1);
    if (result !== 'inconclusive') {
      probe.state = stateAfter(probe, result);
      this.#goRound(probe, state.health, result.ok);
    }
    this.#schedule(probe, result === 'inconclusive' ? this.#repeatMs(probe) : this.#nextMs(probe));
    this.#startWaiting();
    if (result !== 'inconclusive') this.#record(probe, result, state.health);
  }

  /** @param before the node's health until now */
  #goRound(probe: Probe, before: number, isAnswer: boolean): void {
    const { target, state, homeIp } = probe;
    const { ip, ips } = target;
    if (before !== HEALTH_DOWN || state.health !== HEALTH_DOWN) return;
    if (isAnswer && ip !== undefined && !isSameIp(ip, homeIp)) this.#onAnswer(target, ip);
    if (isAnswer || ips.length === 0) return;
    const index = ips.findIndex((other) => isSameIp(other, ip));
    probe.target = { ...target, ip: ips[(index + 1) % ips.length] };
  }

  /** Not at once: what was short is short for a while, and many checks met it together. */
  #repeatMs({ target }: Probe): number {
    return this.#nowMs() + Math.min(REPEAT_MS_MAX, target.intervalMs) * (0.5 + this.#random() / 2);
  }

  /** From start to start, so that a slow answer does not make checks rarer. */
  #nextMs(probe: Probe): number {
    const steadyMs = gapMs(probe.target, probe.state);
    const wishedMs = probe.firstGapMs ?? steadyMs * (1 + JITTER * (2 * this.#random() - 1));
    probe.firstGapMs = undefined;
    return Math.max(this.#nowMs(), probe.startedMs + Math.min(wishedMs, steadyMs * (1 + JITTER)));
  }

  /** @param before the node's health until now */
  #record({ target, state }: Probe, verdict: CheckVerdict, before: number): void {
    const { row } = target;
    const nowMs = this.#nowMs();
    this.#states.checkedMs[row] = nowMs;
    this.#states.checkTookMs[row] = verdict.tookMs;
    addOne(this.#states.checks, row);
    if (!verdict.ok) addOne(this.#states.checkFailures, row);
    const { health } = state;
    if (health === before) return;
    setHealth(this.#states, row, health, verdict.reason, verdict.detail, nowMs);
    const why = transitionReason(target, state, verdict);
    this.#onTransition(
      target,
      healthName(health),
      `node ${target.name} is ${healthName(health).toUpperCase()}: ${why}`,
      why,
    );
  }
}

function stateAfter({ state, target }: Probe, { ok }: CheckVerdict): RiseFall {
  return ok ? afterSuccess(state) : afterFailure(state, target.attempts);
}

/** Whether what is known of a node holds for the target: it is where it was, or moves to where a check was answered. */
function goesOn({ target: before, homeIp, state }: Probe, target: CheckTarget): boolean {
  if (before.port !== target.port || (target.ip === undefined && before.host !== target.host)) return false;
  return isSameIp(homeIp, target.ip) || (state.successes > 0 && isSameIp(before.ip, target.ip));
}

function isSameIp(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : Buffer.compare(a, b) === 0;
}

function addOne(cells: Float64Array, row: number): void {
  cells[row] = (cells[row] ?? 0) + 1;
}
