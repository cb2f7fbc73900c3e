// The control thread: opens the store, serves the API on what the main thread tells and what lies in shared memory, ends when told to.
// It may die at any time: sessions do not notice, and the next one begins here again.

import { setPriority } from 'node:os';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { createControl } from '../../workers/channel.ts';
import { exhaustMemory } from '../../workers/faults.ts';
import { CONTROL, LoopLag } from '../../workers/loop-lag.ts';
import { type LoginKey, loginKey } from '../api/login-key.ts';
import { configOf } from '../store/inventory.ts';
import { refuseUnsound } from '../store/refusal.ts';
import { openStore, type SqliteStore } from '../store/sqlite-store.ts';
import { StoreError } from '../store/store.ts';
import type { ControlFault, ControlStart, FromControl, PlaneState, ToControl } from './channel.ts';
import { beatOn } from './heartbeat.ts';
import { Service } from './service.ts';

/** Of this thread alone (setpriority(2) knows threads). A shard that has something to do goes first on a CPU that both want; 19 would
 * leave 1.5 % of a busy one, too little to be heard of within a heartbeat. */
const NICE = 10;

const task: ControlStart = workerData;
// A worker always has one.
const port = parentPort as MessagePort;
let service: Service | undefined;
/** a fault that waits for the next change */
let failsBeforeWrite = false;

function post(message: FromControl): void {
  port.postMessage(message);
}

/** What lies in the data directory. */
interface Opened {
  readonly store: SqliteStore;
  readonly loginKey: LoginKey;
}

/** @returns undefined when something cannot be used; the main thread was told what and why */
function open(): Opened | undefined {
  try {
    const store = openStore(task.dataDir);
    // With a file, what is stored is not put into force.
    if (task.file === undefined) refuseUnsound(store.read());
    return { store, loginKey: loginKey(task.dataDir) };
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    post({ kind: 'unusable', problem: { message: error.message, isTemporary: error.isTemporary } });
    return undefined;
  }
}

async function serve({ store, loginKey }: Opened, state: PlaneState): Promise<void> {
  service = new Service({ task, database: store, loginKey, state, post });
  post({ kind: 'serving', problem: await service.start() });
  // Not earlier: on a busy machine all that is loaded and compressed until here can take longer than a beat may.
  beatOn(task.heartbeat, new LoopLag(createControl(state.memories.control), CONTROL));
}

async function end({ store }: Opened): Promise<void> {
  await service?.close();
  store.close();
  process.exit();
}

function fail(fault: ControlFault): void {
  if (fault === 'throw-before-write') {
    failsBeforeWrite = true;
    return;
  }
  if (fault === 'out-of-memory') exhaustMemory();
  if (fault === 'block') for (;;);
  throw new Error('fault injected: throw in the control thread');
}

setPriority(NICE);
const opened = open();
if (opened !== undefined) {
  port.on('message', (message: ToControl) => {
    if (message.kind === 'stop') void end(opened);
    else if (message.kind === 'serve') void serve(opened, message.state);
    else if (message.kind === 'fault') fail(message.fault);
    // The change is in force now, and its write would come next.
    else if (failsBeforeWrite && message.kind === 'answer') fail('throw');
    else service?.receive(message);
  });
  const { inventory, revision } = opened.store.read();
  post({ kind: 'opened', config: configOf(inventory), revision });
}
