// One control thread, from its start to its end, and why it ended.

import { Worker } from 'node:worker_threads';
import type { ControlStart, ControlTask, FromControl, ToControl } from './channel.ts';
import { createHeartbeat, Heartbeat } from './heartbeat.ts';

/** The store's revisions and the API's answers need a fraction of it; what is beyond is a mistake, or somebody who wants to exhaust us. */
const HEAP_MEGABYTES = 256;
/** an orderly end: requests under way are cut, the store is closed */
const STOP_MS_MAX = 1000;

export class ControlThread {
  /** @returns why the thread has ended, as the end of a sentence */
  readonly ended: Promise<string>;
  readonly #worker: Worker;

  constructor(task: ControlTask, onMessage: (message: FromControl) => void) {
    const start: ControlStart = { ...task, heartbeat: createHeartbeat() };
    this.#worker = new Worker(new URL('./main.ts', import.meta.url), {
      name: 'control',
      workerData: start,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MEGABYTES },
    });
    const worker = this.#worker;
    worker.on('message', onMessage);
    let reason: string | undefined;
    worker.on('error', (error) => {
      reason = reasonOf(error);
    });
    const unwatch = new Heartbeat(start.heartbeat, task.pace.controlHeartbeatMs).watch(() => {
      reason = 'it was stuck and was stopped';
      void worker.terminate();
    });
    const { promise, resolve } = Promise.withResolvers<string>();
    // Comes after 'error', and in any case.
    worker.once('exit', (code) => {
      unwatch();
      resolve(reason ?? `it exited with code ${code}`);
    });
    this.ended = promise;
  }

  post(message: ToControl): void {
    this.#worker.postMessage(message);
  }

  /** @returns when it has ended, in good order if that did not take too long */
  async stop(): Promise<void> {
    this.post({ kind: 'stop' });
    const deadline = setTimeout(() => void this.#worker.terminate(), STOP_MS_MAX);
    await this.ended;
    clearTimeout(deadline);
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isMemory = 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
  // One line: the first frame says where.
  return isMemory
    ? 'it ran out of memory'
    : (error.stack ?? error.message)
        .split('\n', 2)
        .map((line) => line.trim())
        .join(' ');
}
