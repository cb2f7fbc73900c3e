// The thread that writes lines, and does nothing else: it may wait in a system call for as long as that takes. Where a sink says that
// it takes nothing now it asks again, and hears meanwhile what the main thread wants of it. Nothing here needs libuv's pool.

import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { monotonicMs } from '../../core/base/clock.ts';
import { COUNTS, type FromWriter, type LineFault, type ToWriter, type WriterTask } from './channel.ts';
import { Outlet, type Progress } from './outlet.ts';

/** from one attempt to the next while the sink is full: each time twice as long, until something was taken */
const FULL_MS_MIN = 1;
const FULL_MS_MAX = 64;
/** how long a reader that opens the FIFO may have to wait */
const NO_READER_MS = 100;

const task: WriterTask = workerData;
// A worker always has one.
const port = parentPort as MessagePort;
const counts = new Int32Array(task.counts);
const outlet = new Outlet({ target: task.target, nowMs: monotonicMs, onProblem: (problem) => post({ problem }) });
let timer: NodeJS.Timeout | undefined;
let fullMs = FULL_MS_MIN;
let isEnding = false;

function post(message: FromWriter): void {
  port.postMessage(message);
}

function work(): void {
  clearTimeout(timer);
  const progress = outlet.pump();
  if (publish()) fullMs = FULL_MS_MIN;
  if (progress !== 'done') timer = setTimeout(work, pauseMs(progress));
  else if (isEnding) port.close();
}

function pauseMs(progress: Progress): number {
  if (progress === 'no reader') return NO_READER_MS;
  fullMs = Math.min(2 * fullMs, FULL_MS_MAX);
  return fullMs;
}

/** Adds what was done since the last time. @returns whether anything was */
function publish(): boolean {
  const { written, lost, done } = outlet;
  outlet.written = 0;
  outlet.lost = 0;
  outlet.done = 0;
  if (written === 0 && lost === 0 && done === 0) return false;
  Atomics.add(counts, COUNTS.written, written);
  Atomics.add(counts, COUNTS.lost, lost);
  Atomics.add(counts, COUNTS.done, done);
  Atomics.notify(counts, COUNTS.done);
  return true;
}

function fail(fault: LineFault): void {
  if (fault === 'block') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  throw new Error('fault injected: throw in a writing thread');
}

port.on('message', (message: ToWriter) => {
  if (message.kind === 'fault') fail(message.fault);
  if (message.kind === 'lines') outlet.add(message.text);
  // What came before belongs to the old file.
  if (message.kind === 'reopen') {
    work();
    outlet.reopen();
  }
  if (message.kind === 'end') isEnding = true;
  work();
});
Atomics.store(counts, COUNTS.isUp, 1);
Atomics.notify(counts, COUNTS.isUp);
work();
