// One shard as the main thread sees it: its shared memory, its thread while there is one, and the conversation with it. When the
// thread dies, a successor is started on the same memory; the sessions stay open meanwhile, for their sockets belong to the process.

import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { Piscina } from 'piscina';
import type { NodeEvent } from '../core/health/ejection.ts';
import type { Kernel } from '../core/linux/kernel.ts';
import type { ShardPlan } from '../core/session/plan.ts';
import type { SlotOwner } from '../core/session/session.ts';
import type { Fault, FromShard, ShardTask, ToShard } from './channel.ts';
import type { Logger } from './logger.ts';

/** What does not change between a thread and its successor. */
export type ShardBase = Omit<ShardTask, 'port' | 'plan' | 'adopts'>;

/** A node's condition has changed by what a shard's sessions met. */
export type OnNodeEvent = (row: number, event: NodeEvent, errno: number) => void;

/** How a thread came to its end. */
export type Death = { expected: true } | { expected: false; reason: string; threadEnds: boolean };

/** A change that a shard did not take: it may be in force in the others. */
export class UnansweredError extends Error {
  override readonly name = 'UnansweredError';

  constructor(shard: number) {
    super(`shard ${shard} did not answer within ${ACKNOWLEDGE_TIMEOUT_MS / 1000} s`);
  }
}

/** A shard that does not take a message for this long is stuck; the watchdog sees to it. */
const ACKNOWLEDGE_TIMEOUT_MS = 10_000;
/** in place of an answer: there was no thread to give one */
const NOBODY = -1;

export class ShardThread {
  readonly base: ShardBase;
  /** how often the present thread was told to end */
  terminations = 0;
  /** whether the present thread has come so far as to turn its loop */
  isStarted = false;
  readonly #pool: Piscina;
  readonly #kernel: Kernel;
  readonly #logger: Logger;
  #port: MessagePort | undefined;
  #abort = new AbortController();
  #nextId = 1;
  #waiting = new Map<number, { resolve: (sessions: number) => void; reject: (error: Error) => void }>();
  #hasRun = false;
  readonly #onNodeEvent: OnNodeEvent;

  constructor(base: ShardBase, pool: Piscina, kernel: Kernel, logger: Logger, onNodeEvent: OnNodeEvent) {
    this.base = base;
    this.#pool = pool;
    this.#kernel = kernel;
    this.#logger = logger;
    this.#onNodeEvent = onNodeEvent;
  }

  /**
   * Starts a thread on this shard's memory. @returns once it accepts, with a promise of its end
   */
  async start(plan: ShardPlan): Promise<{ death: Promise<Death> }> {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#abort = new AbortController();
    this.terminations = 0;
    this.isStarted = false;
    const task: ShardTask = { ...this.base, port: port2, plan, adopts: this.#hasRun };
    this.#hasRun = true;
    const started = Promise.withResolvers<void>();
    let exit: Promise<unknown> = Promise.resolve();
    port1.on('message', (message: FromShard) => {
      if (message.kind !== 'started') return this.#receive(message);
      this.isStarted = true;
      exit = exitOf(this.#pool, message.threadId);
      started.resolve();
    });
    // Piscina checks for an array, but its type is derived from the other form of postMessage, an object with `transfer`.
    const transferList = Object.assign([port2], { transfer: [port2] });
    const ended = this.#pool.run(task, { transferList, signal: this.#abort.signal }).then(
      (): Death => ({ expected: true }),
      (error: unknown): Death => ({ expected: false, ...reasonOf(error) }),
    );
    const death = ended.then(async (result) => {
      // A successor must not touch the table while the old thread may still run. One that only threw has left its loop, but its
      // thread lives on in the pool.
      if (!result.expected && result.threadEnds) await exit;
      this.#close();
      return result;
    });
    const early = death.then((result) => {
      throw new Error(result.expected ? 'it stopped at once' : result.reason);
    });
    early.catch(() => {});
    await Promise.race([started.promise, early]);
    return { death };
  }

  /** @returns when the shard has applied the plan */
  async apply(plan: ShardPlan): Promise<void> {
    await this.#send((id) => ({ id, kind: 'apply', plan }));
  }

  /** @returns when the shard has let go of listeners that could not be emptied */
  async abandon(): Promise<void> {
    await this.#send((id) => ({ id, kind: 'abandon' }));
  }

  /** @returns whether the shard has ended its sessions with the node: one that dies has not, and its successor does not know of it */
  async cut(row: number): Promise<boolean> {
    return (await this.#send((id) => ({ id, kind: 'cut', row }))) !== NOBODY;
  }

  /** @returns how many of these sessions the shard has ended */
  async kill(slots: readonly SlotOwner[]): Promise<number> {
    return Math.max(0, await this.#send((id) => ({ id, kind: 'kill', slots })));
  }

  async inject(fault: Fault): Promise<void> {
    await this.#send((id) => ({ id, kind: 'fault', fault }));
  }

  /** Makes it look at the stop flag and its messages. */
  wake(): void {
    this.#kernel.wake(this.base.wakeFd);
  }

  /** Ends a thread that no longer answers. */
  terminate(): void {
    this.terminations++;
    this.#abort.abort();
  }

  /** @returns the sessions of the answer, or NOBODY */
  #send(make: (id: number) => ToShard): Promise<number> {
    const port = this.#port;
    // A shard between two threads gets the plan that is in force when it starts.
    if (port === undefined) return Promise.resolve(NOBODY);
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const timer = setTimeout(() => reject(new UnansweredError(this.base.index)), ACKNOWLEDGE_TIMEOUT_MS);
    const settled = () => {
      clearTimeout(timer);
      this.#waiting.delete(id);
    };
    this.#waiting.set(id, {
      resolve: (sessions) => {
        settled();
        resolve(sessions);
      },
      reject: (error) => {
        settled();
        reject(error);
      },
    });
    port.postMessage(make(id));
    this.wake();
    return promise;
  }

  #receive(message: Exclude<FromShard, { kind: 'started' }>): void {
    if (message.kind === 'done') this.#waiting.get(message.id)?.resolve(message.sessions);
    else if (message.kind === 'warning') this.#logger.warn(message.message);
    else if (message.kind === 'node') this.#onNodeEvent(message.row, message.event, message.errno);
    else this.#logger.error(`shard ${this.base.index}: a session was ended by an internal error: ${message.message}`);
  }

  #close(): void {
    this.#port?.close();
    this.#port = undefined;
    // A plan that died with the thread needs no repeating: the successor starts with the one in force.
    for (const { resolve } of [...this.#waiting.values()]) resolve(NOBODY);
  }
}

/** The end of a pool's thread. Not `events.once`: that rejects at an 'error' event, which comes first when memory ran out. */
function exitOf(pool: Piscina, threadId: number): Promise<unknown> {
  const worker = pool.threads.find((thread) => thread.threadId === threadId);
  return worker === undefined ? Promise.resolve() : new Promise((resolve) => worker.once('exit', resolve));
}

function reasonOf(error: unknown): { reason: string; threadEnds: boolean } {
  if (!(error instanceof Error)) return { reason: String(error), threadEnds: false };
  if (error.name === 'AbortError') return { reason: 'it was stuck and was stopped', threadEnds: true };
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'ERR_WORKER_OUT_OF_MEMORY') return { reason: 'it ran out of memory', threadEnds: true };
  return { reason: `${error.stack}`, threadEnds: code.startsWith('ERR_WORKER') };
}
