// One of the threads that use a table of client addresses at the same time. They meet at a gate before every few
// clients, or one would run ahead and the others find everything done; what each is told they leave in shared memory.
// It judges nothing.

import { workerData } from 'node:worker_threads';
import { countClient, createClientTable, findOrAddClient, MISS } from '../../../core/session/client-table.ts';

export interface Hammer {
  readonly memory: SharedArrayBuffer;
  readonly entries: number;
  /** its lock word and, in `add`, the value it would give */
  readonly owner: number;
  readonly threads: number;
  readonly work: 'add' | 'count';
  readonly clients: number;
  /** clients from one gate to the next, a divisor of `clients` */
  readonly batch: number;
  /** how often a batch is gone through */
  readonly rounds: number;
  /** in `count`: of one window */
  readonly max: number;
  /** int32: see below */
  readonly shared: SharedArrayBuffer;
}

/** Cells of `shared`: threads that came to a gate so far · calls without a lock · answers that were not expected. */
export const ARRIVED = 0;
export const MISSED = 1;
export const WRONG = 2;
/** then one cell per client and possible answer, 1..answers: how often it was given */
export const ANSWERS = 3;

export function answerAt(client: number, answers: number, answer: number): number {
  return ANSWERS + client * answers + answer - 1;
}

const NOW_MS = 1000;
const ASKS_BEFORE_SLEEP = 2000;

// The test imports the names above.
if (workerData?.work !== undefined) hammer(workerData as Hammer);

function hammer(task: Hammer): void {
  const table = createClientTable(task.memory, task.entries, task.owner);
  const shared = new Int32Array(task.shared);
  const address = new Uint8Array(16);
  const last = new DataView(address.buffer);
  const answers = task.work === 'add' ? task.threads : task.max + 1;
  const ask = (): number =>
    task.work === 'add'
      ? findOrAddClient(table, 0, address, 0, 0, task.owner, NOW_MS)
      : countClient(table, 0, address, 0, 1000, task.max, NOW_MS);
  for (let step = 0; step < task.clients * task.rounds; step++) {
    const batch = Math.floor(step / (task.batch * task.rounds));
    if (step % (task.batch * task.rounds) === 0) waitAtGate(shared, (batch + 1) * task.threads);
    const client = batch * task.batch + (step % task.batch);
    last.setUint32(12, client);
    let answer = ask();
    for (; answer === MISS; answer = ask()) Atomics.add(shared, MISSED, 1);
    const isOne = answer >= 1 && answer <= answers;
    Atomics.add(shared, isOne ? answerAt(client, answers, answer) : WRONG, 1);
  }
}

/**
 * Asks for a while before it sleeps, so that all start together.
 * @param arrivals of all threads, at all gates up to this one
 */
function waitAtGate(shared: Int32Array, arrivals: number): void {
  Atomics.add(shared, ARRIVED, 1);
  Atomics.notify(shared, ARRIVED);
  for (let asked = 0; ; asked++) {
    const arrived = Atomics.load(shared, ARRIVED);
    if (arrived >= arrivals) return;
    if (asked > ASKS_BEFORE_SLEEP) Atomics.wait(shared, ARRIVED, arrived);
  }
}
