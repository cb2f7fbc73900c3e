// What must hold of a pool whose nodes are sick, beside what must hold of every run: limits, trials of ejected nodes, the queue, and
// that nobody is turned away as long as there is a node to try. It watches the sockets that the shard opens, not what the shard
// says of itself, where that can be told from them; what it finds it throws, and the run has failed.

import type { Kernel } from '../../core/linux/kernel.ts';
import { FRONTEND } from '../../core/metrics/counters.ts';
import { takeRecord } from '../../core/metrics/session-log.ts';
import { outcomeCode } from '../../core/session/outcome.ts';
import type { FrontendPlan, NodePlan } from '../../core/session/plan.ts';
import { get, HIGH_WATER, PHASE_QUEUED } from '../../core/session/table.ts';
import { formatAddress } from './network.ts';
import { isServed, poolFrontend, poolSettings } from './pool-scenario.ts';
import type { ShardUnderTest } from './runner.ts';
import { SimulatedShard } from './shard-binding.ts';
import type { TcpEnd } from './tcp-end.ts';
import type { World } from './world.ts';
import { wrapKernel } from './wrapped-kernel.ts';

/** How often the things happened that a run is about. */
export interface PoolTally {
  connects: number;
  /** connects to an ejected node while others were not */
  trials: number;
  failedTrials: number;
  ejections: number;
  readmissions: number;
  /** turns in which a session waited for a place */
  queuedTurns: number;
  /** clients that were turned away, by right */
  refused: number;
}

export const NO_TALLY: PoolTally = {
  connects: 0,
  trials: 0,
  failedTrials: 0,
  ejections: 0,
  readmissions: 0,
  queuedTurns: 0,
  refused: 0,
};

export class PoolAudit implements ShardUnderTest {
  readonly simulated: SimulatedShard;
  readonly #tally: PoolTally;
  readonly #world: World;
  readonly #frontend: FrontendPlan;
  /** by address */
  readonly #nodes: ReadonlyMap<string, NodePlan>;
  /** by row: the last connect to the node while it was ejected and others were not */
  readonly #trials = new Map<number, TcpEnd>();
  readonly #ejected = new Set<number>();
  /** by row: how often it was ejected, so far */
  readonly #ejections = new Map<number, number>();

  /** @param tally of all runs, added to */
  constructor(world: World, kernel: Kernel, tally: PoolTally) {
    const { scenario } = world;
    this.#world = world;
    this.#tally = tally;
    this.#frontend = poolFrontend(scenario);
    this.#nodes = new Map(scenario.nodes.map(({ address }, i) => [formatAddress(address), this.#node(i)]));
    const watched = wrapKernel(kernel, {
      after: (call, _, fd) => {
        if (call === 'openConnection' && Number(fd) >= 0) this.#connecting(Number(fd));
      },
    });
    const choices = { settings: poolSettings(scenario), frontends: [this.#frontend] };
    this.simulated = new SimulatedShard(world, watched, choices);
  }

  turn(): void {
    this.simulated.turn();
    this.#countEjections();
    this.#auditQueue();
    this.#auditLog();
  }

  stop(): void {
    this.simulated.stop();
  }

  counts() {
    return this.simulated.counts();
  }

  close(): void {
    this.simulated.close();
    this.#auditLog();
    if (this.simulated.bytesUnaccounted() !== 0) throw new Error('bytes are not accounted for');
    if (this.simulated.gauges() !== 0) throw new Error('a gauge is not back at zero');
    this.#auditClients();
  }

  #node(index: number): NodePlan {
    const node = this.#frontend.nodes[index];
    if (node === undefined) throw new Error(`no node ${index}`);
    return node;
  }

  #nodeOf({ remote }: TcpEnd): NodePlan | undefined {
    return remote && this.#nodes.get(formatAddress(remote));
  }

  #isEjected({ row }: NodePlan): boolean {
    return get(this.simulated.shard.nodeStates.isEjected, row) === 1;
  }

  /** The shard has opened a connection, and does not know the result yet. */
  #connecting(fd: number): void {
    const end = this.#world.kernel.endAt(fd);
    const node = this.#nodeOf(end);
    // A connect that failed at once has left the socket as it was.
    if (node === undefined) return;
    this.#tally.connects++;
    this.#auditLimit(node);
    if (this.#isEjected(node) && !this.#frontend.nodes.every((other) => this.#isEjected(other))) {
      this.#auditTrial(node, end);
    }
  }

  #auditLimit(node: NodePlan): void {
    if (node.maxConnections === 0) return;
    const open = this.#world.kernel
      .openDescriptors()
      .filter(({ file }) => file.kind === 'socket' && this.#nodeOf(file.end) === node).length;
    if (open > node.maxConnections) {
      throw new Error(`${node.label} has ${open} connections, its limit is ${node.maxConnections}`);
    }
  }

  #auditTrial(node: NodePlan, end: TcpEnd): void {
    this.#tally.trials++;
    const before = this.#trials.get(node.row);
    this.#trials.set(node.row, end);
    if (before?.phase === 'syn-sent') throw new Error(`${node.label} is ejected, and two sessions try it at once`);
  }

  #countEjections(): void {
    for (const node of this.#frontend.nodes) {
      const wasEjected = this.#ejected.has(node.row);
      this.#auditEndOfTrial(node, wasEjected);
      if (this.#isEjected(node) === wasEjected) continue;
      if (this.#ejected.delete(node.row)) {
        this.#tally.readmissions++;
      } else {
        this.#ejected.add(node.row);
        this.#tally.ejections++;
      }
    }
  }

  /** A node that is out stays out longer by the failure of the session that tries it, and by no other. */
  #auditEndOfTrial(node: NodePlan, wasEjected: boolean): void {
    const ejections = get(this.simulated.shard.nodeStates.ejections, node.row);
    const hasFailed = wasEjected && this.#isEjected(node) && ejections > (this.#ejections.get(node.row) ?? 0);
    this.#ejections.set(node.row, ejections);
    if (!hasFailed) return;
    this.#tally.failedTrials++;
    if (this.#trials.get(node.row)?.phase === 'syn-sent')
      throw new Error(`${node.label} stays out, and its trial is still under way`);
  }

  /** The gauge is of those who wait: so it is zero when nobody does. */
  #auditQueue(): void {
    const { table } = this.simulated.shard;
    let waiting = 0;
    for (let slot = 0; slot < get(table.shared, HIGH_WATER); slot++) {
      if (table.phase[slot] === PHASE_QUEUED) waiting++;
    }
    if (waiting > 0) this.#tally.queuedTurns++;
    const queued = this.#counter('queued');
    if (queued !== waiting) throw new Error(`${waiting} sessions wait, ${queued} are counted`);
    if (waiting > this.#frontend.queueSize)
      throw new Error(`${waiting} sessions wait, ${this.#frontend.queueSize} may`);
  }

  #counter(name: keyof typeof FRONTEND): number {
    return get(this.simulated.shard.counters.frontends, FRONTEND[name]);
  }

  /** A session may end for want of a node when it has used up its retries, and then only. */
  #auditLog(): void {
    const { log, settings } = this.simulated.shard;
    for (let record = takeRecord(log); record !== undefined; record = takeRecord(log)) {
      const outcome = outcomeCode(record.outcomeWho, record.outcomePhase);
      if (!/^(S|s)C$/.test(outcome)) continue;
      this.#tally.refused++;
      if (record.attempts <= settings.connectRetries) {
        throw new Error(`session ${record.connection} ended as ${outcome} after ${record.attempts} attempts`);
      }
    }
  }

  #auditClients(): void {
    // Ejected nodes are better than none: there is always one to try.
    if (this.#counter('noNode') > 0) throw new Error(`${this.#counter('noNode')} clients found no node`);
    const { ledger, scenario } = this.#world;
    if (!isServed(scenario)) return;
    for (const { end, name, sawError } of ledger.clients) {
      const isClean = !end.resetSent && !end.cut && end.tossedBytes === 0;
      if (isClean && sawError !== 0)
        throw new Error(`${name} was turned away (errno ${sawError}) although a node is well`);
    }
  }
}
