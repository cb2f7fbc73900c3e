// The thread of one shard: builds the shard around the memory it was given (or adopts a predecessor's sessions), then turns its
// event loop until the stop flag is set. After start there is no promise, timer, stream, console or import() here: nothing but
// the loop runs, and nothing else would be served.

import { receiveMessageOnPort, threadId } from 'node:worker_threads';
import { monotonicMs } from '../core/base/clock.ts';
import { describeErrno } from '../core/base/errno.ts';
import { createKernel, KERNEL_CELL_BYTES } from '../core/linux/native.ts';
import { pinThread } from '../core/linux/process.ts';
import { applyFrontends, applyPlan } from '../core/session/frontends.ts';
import { adoptShard, closeShard, killAll, openShard } from '../core/session/lifecycle.ts';
import { abandonLeaving, applyListeners } from '../core/session/listener.ts';
import { turn } from '../core/session/reactor.ts';
import { cutNode, killSessions } from '../core/session/session.ts';
import { createShard, type Shard } from '../core/session/shard.ts';
import {
  type Control,
  createControl,
  type FromShard,
  HEARTBEAT_STRIDE,
  type ShardTask,
  type ToShard,
} from './channel.ts';
import { injectFault } from './faults.ts';
import { LoopLag } from './loop-lag.ts';

/** @returns when the stop flag was set and everything of this shard is closed */
export default function runShard(task: ShardTask): void {
  pin(task);
  collectStart();
  const control = createControl(task.control);
  const lag = new LoopLag(control, task.index);
  const shard = startShard(task, control);
  // From now on it is judged by its beats.
  beat(task, control);
  reply(task, { kind: 'started', threadId });
  while (Atomics.load(control.stop, 0) === 0) {
    turn(shard);
    // What became ready after its wait has waited until here.
    lag.note(beat(task, control) - shard.nowMs, shard.nowMs);
  }
  killAll(shard);
  applyPlan(shard, { frontends: [], listeners: [] });
  killAll(shard);
  closeShard(shard);
  task.port.close();
}

/**
 * What a start has loaded stays, and the first collection under load would copy it: 2.3 to 3.1 ms, where those that follow take 0.3.
 * An object is moved to where it stays when it is met for the second time. Without the launcher's flag nothing happens.
 */
function collectStart(): void {
  globalThis.gc?.({ type: 'minor' });
  globalThis.gc?.({ type: 'minor' });
}

function pin(task: ShardTask): void {
  if (task.cpu === undefined) return;
  const pinned = pinThread(task.cpu);
  if (pinned === 0) return;
  const message = `shard ${task.index} cannot be bound to CPU ${task.cpu}: ${describeErrno(-pinned)}`;
  reply(task, { kind: 'warning', message });
}

/** @returns the time */
function beat(task: ShardTask, control: Control): number {
  const nowMs = monotonicMs();
  control.heartbeats[task.index * HEARTBEAT_STRIDE] = nowMs;
  return nowMs;
}

function startShard(task: ShardTask, control: Control): Shard {
  const shard = createShard({
    index: task.index,
    shards: task.shards,
    settings: task.settings,
    capacity: task.capacity,
    kernel: createKernel(task.memory.arena),
    kernelBytes: KERNEL_CELL_BYTES,
    memory: task.memory,
    processMemory: task.processMemory,
    countersOfAll: task.counters,
    wakeFd: task.wakeFd,
    onWake: () => takeMessages(shard, task),
    onBeat: () => beat(task, control),
    onFault: (error) => reply(task, { kind: 'fault', message: error instanceof Error ? `${error.stack}` : `${error}` }),
    onNodeEvent: (row, event, errno) => reply(task, { kind: 'node', row, event, errno }),
  });
  applyFrontends(shard, task.plan.frontends);
  const opened = task.adopts ? adoptShard(shard) : openShard(shard);
  if (opened < 0) throw new Error(`shard ${task.index} cannot open its epoll: ${describeErrno(-opened)}`);
  applyListeners(shard, task.plan.listeners);
  return shard;
}

function takeMessages(shard: Shard, task: ShardTask): void {
  for (;;) {
    const received: { message: ToShard } | undefined = receiveMessageOnPort(task.port);
    if (received === undefined) return;
    const { message } = received;
    reply(task, { kind: 'done', id: message.id, sessions: obey(shard, task, message) });
  }
}

/** @returns how many sessions a kill has ended */
function obey(shard: Shard, task: ShardTask, message: ToShard): number {
  if (message.kind === 'kill') return killSessions(shard, message.slots);
  if (message.kind === 'apply') applyPlan(shard, message.plan);
  else if (message.kind === 'abandon') abandonLeaving(shard);
  else if (message.kind === 'cut') cutNode(shard, message.row);
  else if (task.allowFaults) injectFault(shard, message.fault);
  return 0;
}

function reply(task: ShardTask, message: FromShard): void {
  task.port.postMessage(message);
}
