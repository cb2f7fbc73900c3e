// The table of client addresses under threads that use it at the same time: they agree on every client's node, and
// together they let no more connections pass than the throttle allows.

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import {
  clientCount,
  clientTableBytes,
  clientTableMisses,
  createClientTable,
  seedClientTable,
} from '../../../core/session/client-table.ts';
import { ANSWERS, answerAt, type Hammer, MISSED, WRONG } from './client-table-hammer.ts';

const THREADS = 3;
/** few enough for the table that none is forgotten, and those of a batch are likely to share a set now and then */
const CLIENTS = 4000;
const ENTRIES = 8000;

type Work = Pick<Hammer, 'work' | 'batch' | 'rounds' | 'max'>;

interface Result {
  /** per client, how often each of the answers 1..answers was given */
  readonly given: readonly (readonly number[])[];
  readonly wrong: number;
  readonly missed: number;
  readonly missesCounted: number;
  readonly entriesLeft: number;
}

async function hammer({ work, batch, rounds, max }: Work): Promise<Result> {
  const answers = work === 'add' ? THREADS : max + 1;
  const memory = new SharedArrayBuffer(clientTableBytes(ENTRIES));
  seedClientTable(memory);
  const shared = new SharedArrayBuffer((ANSWERS + CLIENTS * answers) * 4);
  const workers = Array.from({ length: THREADS }, (_, i) => {
    const workerData: Hammer = {
      memory,
      entries: ENTRIES,
      owner: i + 1,
      threads: THREADS,
      work,
      clients: CLIENTS,
      batch,
      rounds,
      max,
      shared,
    };
    return new Worker(new URL('./client-table-hammer.ts', import.meta.url), { workerData });
  });
  try {
    await Promise.all(workers.map((worker) => once(worker, 'exit')));
  } finally {
    // Where one has failed the others wait at the gate.
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
  const cells = new Int32Array(shared);
  const table = createClientTable(memory, ENTRIES, THREADS + 1);
  return {
    given: Array.from({ length: CLIENTS }, (_, client) => {
      const from = answerAt(client, answers, 1);
      return [...cells.subarray(from, from + answers)];
    }),
    wrong: cells[WRONG] ?? -1,
    missed: cells[MISSED] ?? -1,
    missesCounted: clientTableMisses(table),
    entriesLeft: clientCount(table, 0),
  };
}

test('threads that place the same clients, each with a node of its own, agree on every one', async () => {
  const rounds = 4;
  const { given, wrong, missed, missesCounted, entriesLeft } = await hammer({
    work: 'add',
    batch: 4,
    rounds,
    max: 0,
  });
  expect(wrong).toBe(0);
  const disagreed = given.filter((times) => Math.max(...times) !== THREADS * rounds);
  expect(disagreed).toEqual([]);
  expect(entriesLeft).toBe(CLIENTS);
  expect(missesCounted).toBe(missed);
});

test('threads that count the same clients give out each place of a window once, and no more', async () => {
  const max = 20;
  const rounds = 15;
  const { given, wrong, missed, missesCounted, entriesLeft } = await hammer({ work: 'count', batch: 1, rounds, max });
  expect(wrong).toBe(0);
  // Every place once; the answer after the last place is a refusal.
  const expected = [...new Array<number>(max).fill(1), THREADS * rounds - max];
  const miscounted = given.filter((times) => times.join() !== expected.join());
  expect(miscounted).toEqual([]);
  expect(entriesLeft).toBe(CLIENTS);
  expect(missesCounted).toBe(missed);
});
