// The data plane as the control thread has it: reads the shards' memory by itself, and passes changes on to the main thread.

import { monotonicMs } from '../../core/base/clock.ts';
import type { Config } from '../../core/config/model.ts';
import { SHARD, SHARD_COUNTERS } from '../../core/metrics/counters.ts';
import { eachBound, type Histogram, sumHistograms } from '../../core/metrics/histogram.ts';
import { type LoopLags, readLoopLags } from '../../workers/loop-lag.ts';
import { findSessions, listSessions, type SessionSource } from '../../workers/session-list.ts';
import { type MemoryViews, viewMemories } from '../../workers/shared-memories.ts';
import { type NodeCondition, nodeConditions, type Snapshot, takeSnapshot } from '../../workers/snapshot.ts';
import {
  type DataPlane,
  type EffectiveSetting,
  type HistogramView,
  type PlaneEvent,
  type Readiness,
  RefusedChange,
  type SessionFilter,
  type SessionView,
  type ShardCounts,
} from '../data-plane.ts';
import type { ChangeAnswer, FromControl, KillAnswer, PlaneState, PlanView, ToPlane } from './channel.ts';

type FrontendPlan = PlanView['frontends'][number];

/** Bounds of the histograms' buckets, in seconds. */
const WAIT_BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const DURATION_BOUNDS = [0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600, 14_400, 86_400];
const US_PER_SECOND = 1_000_000;
const MS_PER_SECOND = 1000;

export class ThreadPlane implements DataPlane {
  readonly file: string | undefined;
  readonly fileConfig = (): Config | undefined => (this.file === undefined ? undefined : this.config);
  readonly #state: PlaneState;
  readonly #views: MemoryViews;
  readonly #post: (message: FromControl) => void;
  readonly #listeners = new Set<(event: PlaneEvent) => void>();
  readonly #waiting = new Map<number, (answer: ChangeAnswer | KillAnswer) => void>();
  #nextId = 1;
  #plan: PlanView;
  #frontends: ReadonlyMap<string, FrontendPlan>;
  #readiness: Readiness;
  #isReloadGood: boolean;

  /** @param file see DataPlane @param post to the main thread */
  constructor(state: PlaneState, file: string | undefined, post: (message: FromControl) => void) {
    this.file = file;
    this.#state = state;
    this.#views = viewMemories(state.memories);
    this.#post = post;
    this.#plan = state.plan;
    this.#frontends = byPlace(state.plan);
    this.#readiness = state.readiness;
    this.#isReloadGood = state.isReloadGood;
  }

  /** The configuration in force. */
  get config(): Config {
    return this.#plan.config;
  }

  /** What the main thread says about the data plane. */
  receive(message: ToPlane): void {
    if (message.kind === 'plan') this.#adopt(message.plan);
    else if (message.kind === 'readiness') this.#readiness = message.readiness;
    else if (message.kind === 'reload') this.#isReloadGood = message.isGood;
    else if (message.kind === 'event') for (const listener of this.#listeners) listener(message.event);
    else this.#answered(message.id, message.answer);
  }

  async apply(config: Config): Promise<readonly string[]> {
    const answer = await this.#ask((id) => ({ kind: 'apply', id, config }));
    if (answer.kind === 'refused') throw new RefusedChange(answer.message, answer.listen);
    if (answer.kind === 'applied') return answer.changes;
    throw new Error(answer.kind === 'failed' ? answer.message : 'a change was answered like a kill');
  }

  snapshot(): Snapshot {
    const { startedMs, connectionsMax, memories } = this.#state;
    const { counters, tables, states } = this.#views;
    const { frontends, services } = this.#plan;
    const shards = memories.shards.length;
    return takeSnapshot({
      startedMs,
      nowMs: monotonicMs,
      shards,
      connectionsMax,
      frontends,
      services,
      counters,
      tables,
      states,
    });
  }

  conditions(nodebalancer: string, port: number): ReadonlyMap<string, NodeCondition> | undefined {
    const frontend = this.#frontends.get(placeOf(nodebalancer, port));
    return frontend === undefined ? undefined : nodeConditions(this.#views.states, frontend);
  }

  histograms() {
    const { connectTimes, firstByteTimes, durations } = this.#views;
    return {
      connect: histogramView(connectTimes, WAIT_BOUNDS, US_PER_SECOND),
      firstByte: histogramView(firstByteTimes, WAIT_BOUNDS, US_PER_SECOND),
      duration: histogramView(durations, DURATION_BOUNDS, MS_PER_SECOND),
    };
  }

  shardCounts(): readonly ShardCounts[] {
    return this.#views.counters.map(({ shard }) => {
      const counts = SHARD_COUNTERS.map((name) => [name, shard[SHARD[name]] ?? 0] as const);
      return Object.fromEntries(counts) as ShardCounts;
    });
  }

  loopLags(): LoopLags {
    return readLoopLags(this.#views.control, monotonicMs());
  }

  sessions(filter: SessionFilter, limit: number): { total: number; sessions: readonly SessionView[] } {
    return listSessions(this.#sessionSource(), filter, limit);
  }

  async kill(filter: SessionFilter): Promise<number> {
    const owners = findSessions(this.#sessionSource(), filter);
    if (owners.length === 0) return 0;
    const answer = await this.#ask((id) => ({ kind: 'kill', id, owners }));
    if (answer.kind === 'killed') return answer.sessions;
    throw new Error(answer.kind === 'failed' ? answer.message : 'a kill was answered like a change');
  }

  readiness(): Readiness {
    return this.#readiness;
  }

  isReloadGood(): boolean {
    return this.#isReloadGood;
  }

  settings(): readonly EffectiveSetting[] {
    return this.#state.settings;
  }

  watch(listener: (event: PlaneEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #adopt(plan: PlanView): void {
    this.#plan = plan;
    this.#frontends = byPlace(plan);
  }

  #sessionSource(): SessionSource {
    const { frontendNames, nodeNames } = this.#plan;
    return { tables: this.#views.tables, frontends: frontendNames, nodes: nodeNames, nowMs: monotonicMs };
  }

  #ask(make: (id: number) => FromControl): Promise<ChangeAnswer | KillAnswer> {
    const id = this.#nextId++;
    const { promise, resolve } = Promise.withResolvers<ChangeAnswer | KillAnswer>();
    this.#waiting.set(id, resolve);
    this.#post(make(id));
    return promise;
  }

  #answered(id: number, answer: ChangeAnswer | KillAnswer): void {
    this.#waiting.get(id)?.(answer);
    this.#waiting.delete(id);
  }
}

function placeOf(label: string, port: number): string {
  return `${label} ${port}`;
}

function byPlace({ frontends }: PlanView): ReadonlyMap<string, FrontendPlan> {
  return new Map(frontends.map((frontend) => [placeOf(frontend.label, frontend.port), frontend]));
}

/** @param unitsPerSecond of the values that were recorded */
function histogramView(
  histograms: readonly Histogram[],
  boundsSeconds: readonly number[],
  unitsPerSecond: number,
): HistogramView {
  const summary = sumHistograms(histograms);
  const buckets: { le: number; count: number }[] = [];
  eachBound(
    summary,
    boundsSeconds.map((seconds) => Math.round(seconds * unitsPerSecond)),
    (bound, count) => buckets.push({ le: bound / unitsPerSecond, count }),
  );
  return { buckets, sum: summary.sumUs / unitsPerSecond, count: summary.count };
}
