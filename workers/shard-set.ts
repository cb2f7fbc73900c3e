// All shards of the process: starts their threads, watches their heartbeats, puts a successor in the place of a thread that died,
// and gives up when they die too often. What they serve is the supervisor's business.

import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { clearTurns, createTurns, type Turns } from '../core/balance/turns.ts';
import { clearNodeState, type NodeStates } from '../core/health/node-states.ts';
import type { Kernel } from '../core/linux/kernel.ts';
import { createKernel, KERNEL_CELL_BYTES } from '../core/linux/native.ts';
import { type Counters, FRONTEND_STRIDE, NODE_STRIDE, sumCell } from '../core/metrics/counters.ts';
import { createSessionLog, type SessionLog } from '../core/metrics/session-log.ts';
import {
  type ClientTable,
  createClientTable,
  removeClientScopes,
  removeClientValues,
} from '../core/session/client-table.ts';
import { resetAllCut } from '../core/session/cut.ts';
import { FRONTENDS_MAX, LOG_RECORDS, NODES_MAX } from '../core/session/limits.ts';
import type { ShardPlan } from '../core/session/plan.ts';
import type { ShardSettings } from '../core/session/settings.ts';
import { createProcessMemory, createShardMemory, LIVE_STRIDE } from '../core/session/shard.ts';
import type { SessionTable } from '../core/session/table.ts';
import { type Control, controlBytes, createControl, type Fault, HEARTBEAT_STRIDE } from './channel.ts';
import type { EventLog } from './event-log.ts';
import type { Logger } from './logger.ts';
import { LoopLag, MAIN, noteStuck } from './loop-lag.ts';
import type { Pace } from './pace.ts';
import type { ShardSlot } from './session-list.ts';
import { type Death, type OnNodeEvent, type ShardBase, ShardThread } from './shard-thread.ts';
import { type SharedMemories, viewMemories } from './shared-memories.ts';

export interface ShardSetOptions {
  shards: number;
  settings: ShardSettings;
  /** CPU of each shard; empty: wherever the system puts it */
  cpus: readonly number[];
  heapMegabytes: number;
  allowFaults: boolean;
  pace: Pace;
}

/** this many deaths within the window are one too many: something is wrong that a new thread does not mend */
const DEATHS_MAX = 5;
const DEATH_WINDOW_MS = 60_000;
/** a thread inside a system call or a loop that V8 does not interrupt may outlive being stopped: so many heartbeats are waited for */
const TERMINATIONS_MAX = 3;

export class ShardSet {
  readonly counters: readonly Counters[];
  readonly logs: readonly SessionLog[];
  readonly tables: readonly SessionTable[];
  readonly nodeStates: NodeStates;
  /** the same, for other threads */
  readonly memories: SharedMemories;
  /** called when the process can no longer serve */
  onHopeless: (reason: string) => void = () => {};
  /** called when what sessions met has changed a node's condition */
  onNodeEvent: OnNodeEvent = () => {};
  /** how often it was looked whether shards come round */
  watchRounds = 0;

  readonly #options: ShardSetOptions;
  readonly #logger: Logger;
  readonly #events: EventLog;
  readonly #kernel: Kernel;
  readonly #control: Control;
  readonly #lag: LoopLag;
  readonly #live: Int32Array;
  readonly #stickyClients: ClientTable;
  /** by index of the shard */
  readonly #turns: readonly Turns[];
  readonly #pool: Piscina;
  readonly #threads: ShardThread[] = [];
  readonly #ends: Promise<void>[] = [];
  readonly #planOf: (shard: number) => ShardPlan;
  #watch: NodeJS.Timeout | undefined;
  #watchedMs = 0;
  #deathsMs: number[] = [];

  /** @param planOf what a shard is to serve at this moment: asked whenever a thread is started */
  constructor(options: ShardSetOptions, planOf: (shard: number) => ShardPlan, logger: Logger, events: EventLog) {
    const { shards, settings } = options;
    this.#options = options;
    this.#logger = logger;
    this.#planOf = planOf;
    this.#events = events;
    this.#kernel = createKernel(new SharedArrayBuffer(4096));
    const control = new SharedArrayBuffer(controlBytes(shards));
    this.#control = createControl(control);
    this.#lag = new LoopLag(this.#control, MAIN);
    const processMemory = createProcessMemory(settings, shards);
    this.#live = new Int32Array(processMemory.live);
    // This thread locks like one more shard.
    this.#stickyClients = createClientTable(processMemory.stickyClients, settings.clientTableEntries, shards + 1);
    this.#pool = new Piscina({
      filename: fileURLToPath(new URL('./listener-worker.ts', import.meta.url)),
      minThreads: shards,
      maxThreads: shards,
      concurrentTasksPerWorker: 1,
      // A shard never returns to its thread's event loop: an atomics-based wait for tasks would only cost.
      atomics: 'disabled',
      resourceLimits: { maxOldGenerationSizeMb: options.heapMegabytes },
    });
    this.#pool.on('error', (error: Error) => logger.error(`a thread without a task failed: ${error.stack}`));
    const memories = Array.from({ length: shards }, () =>
      createShardMemory(settings, settings.connectionsMax, KERNEL_CELL_BYTES),
    );
    const counters = memories.map((memory) => memory.counters);
    this.memories = {
      shards: memories.map(({ counters, table, connectTimes, firstByteTimes, durations }) => ({
        counters,
        table,
        connectTimes,
        firstByteTimes,
        durations,
      })),
      nodeStates: processMemory.nodeStates,
      control,
      capacity: settings.connectionsMax,
    };
    const views = viewMemories(this.memories);
    this.counters = views.counters;
    this.tables = views.tables;
    this.nodeStates = views.states;
    this.#turns = memories.map(({ turns }) => createTurns(turns, FRONTENDS_MAX, NODES_MAX));
    this.logs = memories.map((memory) => createSessionLog(memory.log, LOG_RECORDS));
    for (const [index, memory] of memories.entries()) {
      const base: ShardBase = {
        index,
        shards,
        settings,
        capacity: settings.connectionsMax,
        memory,
        processMemory,
        counters,
        control,
        wakeFd: this.#kernel.openWake(),
        cpu: options.cpus[index % Math.max(1, options.cpus.length)],
        allowFaults: options.allowFaults,
      };
      this.#threads.push(
        new ShardThread(base, this.#pool, this.#kernel, logger, (row, event, errno) =>
          this.onNodeEvent(row, event, errno),
        ),
      );
    }
  }

  async start(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => this.#run(thread)));
    this.#watchedMs = performance.now();
    this.#watch = setInterval(() => this.#checkHeartbeats(), this.#options.pace.watchMs);
  }

  /** @returns when every shard has applied the plan now in force */
  async apply(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.apply(this.#planOf(thread.base.index))));
  }

  /** @returns when no shard accepts from a listener that is not planned any more */
  async abandon(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.abandon()));
  }

  /** Ends the sessions of a node. @returns false when a shard was between two threads, and has not */
  async cut(row: number): Promise<boolean> {
    const done = await Promise.all(this.#threads.map((thread) => thread.cut(row)));
    return !done.includes(false);
  }

  /** @returns how many of these sessions were ended */
  async kill(owners: readonly ShardSlot[]): Promise<number> {
    const ended = await Promise.all(
      this.#threads.map((thread) => {
        const slots = owners.filter(({ shard }) => shard === thread.base.index);
        return slots.length === 0 ? 0 : thread.kill(slots);
      }),
    );
    return ended.reduce((sum, count) => sum + count, 0);
  }

  async inject(shard: number, fault: Fault): Promise<void> {
    await this.#threads[shard]?.inject(fault);
  }

  /** Live sessions of all shards. */
  live(): number {
    let sum = 0;
    for (let i = 0; i < this.#options.shards; i++) sum += Atomics.load(this.#live, i * LIVE_STRIDE);
    return sum;
  }

  /** One of the shards' own counters, over all shards. */
  sum(column: number): number {
    return sumCell(
      this.counters.map(({ shard }) => shard),
      column,
    );
  }

  clearFrontends(rows: ReadonlySet<number>): void {
    for (const { frontends } of this.counters) clearRows(frontends, FRONTEND_STRIDE, rows);
    removeClientScopes(this.#stickyClients, rows);
  }

  clearNodes(rows: ReadonlySet<number>): void {
    for (const { nodes } of this.counters) clearRows(nodes, NODE_STRIDE, rows);
    removeClientValues(this.#stickyClients, rows);
    for (const turns of this.#turns) clearTurns(turns, rows);
    for (const row of rows) clearNodeState(this.nodeStates, row);
  }

  /** Ends every session and every thread. @returns when all have closed what they held */
  async stop(): Promise<void> {
    clearInterval(this.#watch);
    this.requestStop();
    // Bounded: a stuck thread does not see the flag, and is stopped with the pool.
    const given = new AbortController();
    const deadline = sleep(this.#options.pace.stopMs, undefined, { signal: given.signal }).catch(() => {});
    await Promise.race([Promise.allSettled(this.#ends), deadline]);
    // A timer that nobody waits for any more would keep a process that has nothing else to do.
    given.abort();
    await this.#pool.destroy();
  }

  /** The part of stopping that works even when this thread has no time left for anything else. */
  requestStop(): void {
    Atomics.store(this.#control.stop, 0, 1);
    for (const thread of this.#threads) thread.wake();
  }

  /**
   * For a process that ends and does not wait for its shards: the kernel closes what is still open,
   * and shall reset the streams that are cut by that. From outside, beside threads that may still
   * run: of a number that is somebody else's by now another stream is reset.
   */
  resetCut(): void {
    for (const table of this.tables) resetAllCut(this.#kernel, table);
  }

  get isStopping(): boolean {
    return Atomics.load(this.#control.stop, 0) === 1;
  }

  async #run(thread: ShardThread): Promise<void> {
    this.#beat(thread);
    const { death } = await thread.start(this.#planOf(thread.base.index));
    this.#ends[thread.base.index] = death.then((result) => this.#died(thread, result));
  }

  /** A thread has ended. Its sessions are still open: a successor takes them over. */
  async #died(thread: ShardThread, death: Death): Promise<void> {
    if (death.expected || this.isStopping) return;
    const name = `shard ${thread.base.index}`;
    const message = `${name} died: ${death.reason}; a successor takes over its sessions`;
    this.#events.tell('error', { kind: 'shard', message });
    const now = performance.now();
    this.#deathsMs = [...this.#deathsMs.filter((at) => now - at < DEATH_WINDOW_MS), now];
    if (this.#deathsMs.length >= DEATHS_MAX) {
      return this.onHopeless(`${DEATHS_MAX} shards died within ${DEATH_WINDOW_MS / 1000} s`);
    }
    try {
      await this.#run(thread);
      this.#events.tell('info', { kind: 'shard', message: `${name} serves again` });
    } catch (error) {
      // Then it has seen the stop flag at once.
      if (this.isStopping) return;
      this.onHopeless(`${name} cannot be started again: ${error instanceof Error ? error.message : error}`);
    }
  }

  #checkHeartbeats(): void {
    const { watchMs, heartbeatMs, startMs } = this.#options.pace;
    const now = performance.now();
    const sinceMs = now - this.#watchedMs;
    this.#watchedMs = now;
    this.watchRounds++;
    this.#lag.note(sinceMs - watchMs, now);
    // After the whole process was suspended, everybody's heartbeat is old, and nobody is stuck.
    if (sinceMs > heartbeatMs / 2) {
      this.#logger.debug(`the watchdog was away for ${Math.round(sinceMs)} ms: every shard has its whole time again`);
      for (const thread of this.#threads) this.#beat(thread);
      return;
    }
    for (const thread of this.#threads) {
      const beatMs = this.#control.heartbeats[thread.base.index * HEARTBEAT_STRIDE] ?? 0;
      const silentMs = this.#kernel.nowMs() - beatMs;
      if (silentMs < (thread.isStarted ? heartbeatMs : startMs)) continue;
      noteStuck(this.#control, thread.base.index, silentMs);
      this.#beat(thread);
      if (thread.terminations >= TERMINATIONS_MAX)
        this.onHopeless(`shard ${thread.base.index} is stuck and cannot be stopped`);
      thread.terminate();
    }
  }

  /** A thread that starts or is being stopped is given as long as one that has just come round. */
  #beat(thread: ShardThread): void {
    this.#control.heartbeats[thread.base.index * HEARTBEAT_STRIDE] = this.#kernel.nowMs();
  }
}

function clearRows(cells: Float64Array, stride: number, rows: ReadonlySet<number>): void {
  for (const row of rows) cells.fill(0, row * stride, (row + 1) * stride);
}
