// Copying for several sessions at once: which of a turn's events go together, what happens to those that do not, and what a successor makes of
// a batch that its predecessor left. That no byte is lost is the simulation's business (tests/sim).

import { beforeEach, expect, test } from 'vitest';
import { EAGAIN } from '../../../core/base/errno.ts';
import { EPOLLIN, EPOLLOUT, EPOLLRDHUP, EVENT_BYTES, NOT_DONE, writeEvent } from '../../../core/linux/kernel.ts';
import { copyTogether, recoverBatch } from '../../../core/session/batch.ts';
import { pendingBytes } from '../../../core/session/pending.ts';
import { turn } from '../../../core/session/reactor.ts';
import {
  BACK,
  FRONT,
  get,
  NO_DELAY,
  READ_ENDED,
  READABLE,
  SPLICING,
  STEP_SLOT,
  WRITABLE,
} from '../../../core/session/table.ts';
import { BACK_FD, type FakeShard, FRONT_FD, fakeShard, nodePlan, relaying, serve } from './support.ts';

const READY = EPOLLIN | EPOLLOUT;
const CALM = WRITABLE | NO_DELAY;
const GOT = 7;
const PIPE_FD = 9000;
const PIPE_BYTES = 1 << 20;

interface Transfer {
  readonly call: 'recv' | 'send';
  readonly fd: number;
  readonly bytes: number;
  result: number;
}

interface Scene extends FakeShard {
  /** side and mask of each event of the next wait */
  readonly events: [side: number, mask: number][];
  readonly transfers: Transfer[];
  /** what single calls were made, and how many transfers each call carried out */
  readonly calls: string[];
  /** of a call's transfers, those from this one on are not carried out */
  doneMax: number;
  /** answers of the reads and writes, by descriptor; else GOT, and all of it */
  readonly answers: Map<number, number>;
  /** what lies in the queue of a descriptor, in place of an answer */
  readonly queued: Map<number, number>;
}

let scene: Scene;

beforeEach(() => {
  scene = makeScene();
});

/** Every session of the fake has the same two descriptors: `fd` tells them apart. */
function makeScene(pipes = 0, spillBytes = 1 << 20): Scene {
  const events: Scene['events'] = [];
  const transfers: Transfer[] = [];
  const answers = new Map<number, number>();
  const queued = new Map<number, number>();
  const answer = ({ call, fd, bytes }: Omit<Transfer, 'result'>): number => {
    const waiting = call === 'recv' ? queued.get(fd) : undefined;
    if (waiting === undefined) return answers.get(fd) ?? (call === 'recv' ? GOT : bytes);
    queued.set(fd, waiting - Math.min(waiting, bytes));
    return waiting === 0 ? -EAGAIN : Math.min(waiting, bytes);
  };
  const single = (call: Transfer['call']) => (fd: number, _at: number, bytes: number) => {
    scene.calls.push(`${call} ${fd}`);
    return answer({ call, fd, bytes });
  };
  const note = (call: Transfer['call']) => (index: number, fd: number, _at: number, bytes: number) => {
    transfers[index] = { call, fd, bytes, result: NOT_DONE };
  };
  const fake = fakeShard(
    { batchFrom: 3, splice: 'auto', bufferBytes: 65_536, pipes, pipeBytes: PIPE_BYTES, spillBytes },
    {
      wait: (_, eventsAt) => {
        for (const [index, [side, mask]] of events.entries()) {
          writeEvent(fake.shard.arena, eventsAt + index * EVENT_BYTES, mask, side, 0);
        }
        return events.length;
      },
      openPipe(fdsAt) {
        fake.shard.arena.view.setInt32(fdsAt, PIPE_FD, true);
        fake.shard.arena.view.setInt32(fdsAt + 4, PIPE_FD, true);
        return 0;
      },
      setOption: () => 0,
      resizePipe: (_fd, bytes) => bytes,
      pipeSize: () => PIPE_BYTES,
      splice: (from, to, bytes) => {
        if (to !== PIPE_FD) return bytes;
        scene.calls.push(`splice ${from}`);
        return answer({ call: 'recv', fd: from, bytes });
      },
      recv: single('recv'),
      send: single('send'),
      noteRecv: note('recv'),
      noteSend: note('send'),
      transfer(count: number) {
        scene.calls.push(`transfer ${count}`);
        for (const transfer of transfers.slice(0, Math.min(count, scene.doneMax))) {
          transfer.result = answer(transfer);
        }
      },
      transferred: (index: number) => transfers[index]?.result ?? NOT_DONE,
    },
  );
  fake.shard.batch.isOpen = true;
  serve(fake.shard, [nodePlan(0)]);
  return { ...fake, events, transfers, answers, queued, doneMax: Number.POSITIVE_INFINITY };
}

function session(frontFlags = CALM, backFlags = CALM): number {
  const { table } = scene.shard;
  const slot = relaying(scene.shard, frontFlags, backFlags);
  table.fd[slot * 2 + FRONT] = FRONT_FD + 10 * slot + 1;
  table.fd[slot * 2 + BACK] = BACK_FD + 10 * slot + 1;
  return slot;
}

/** A turn in which these have something to be read. */
function turnWith(...events: [side: number, mask: number][]): string[] {
  scene.events.splice(0, scene.events.length, ...events);
  turn(scene.shard);
  return scene.calls.splice(0);
}

const bytesTo = (slot: number, which: number) => get(scene.shard.table.bytesTo, slot * 2 + which);

test('three sessions with bytes: one call reads them, one writes them, and nothing else is asked', () => {
  const slots = [session(), session(), session()];
  expect(turnWith(...slots.map((slot): [number, number] => [slot * 2 + FRONT, READY]))).toEqual([
    'transfer 3',
    'transfer 3',
  ]);
  expect(scene.transfers.map(({ call, fd }) => `${call} ${fd}`)).toEqual(['send 21', 'send 31', 'send 41']);
  expect(slots.map((slot) => bytesTo(slot, BACK))).toEqual([GOT, GOT, GOT]);
});

test('no more go together than both directions of each have room for, should nobody take anything', () => {
  scene = makeScene(0, 8 * 70_000);
  const { spill } = scene.shard;
  expect(spill.blocks).toBe(8);
  const slots = Array.from({ length: 5 }, () => session());
  expect(turnWith(...slots.map((slot): [number, number] => [slot * 2 + FRONT, READY])).slice(0, 3)).toEqual([
    'transfer 4',
    'transfer 4',
    `recv ${FRONT_FD + 40}`,
  ]);
});

test('two are served one by one', () => {
  const slots = [session(), session()];
  expect(turnWith(...slots.map((slot): [number, number] => [slot * 2 + FRONT, READY]))).toEqual([
    'recv 20',
    'send 21',
    'recv 30',
    'send 31',
  ]);
});

interface Oddity {
  mask?: number;
  front?: number;
  back?: number;
}

test.each<[why: string, oddity: Oddity]>([
  ['its sender has ended', { mask: READY | EPOLLRDHUP }],
  ['it is spliced', { front: CALM | SPLICING }],
  ['the other side stalls', { back: NO_DELAY }],
  ['the other side has not got TCP_NODELAY', { back: WRITABLE }],
  ['the other side has ended', { back: CALM | READ_ENDED }],
])('a session is served by itself when %s', (_, { mask = READY, front = CALM, back = CALM }) => {
  const slots = [session(), session(), session()];
  const odd = session(front, back);
  const events = [...slots, odd].map((slot): [number, number] => [slot * 2 + FRONT, slot === odd ? mask : READY]);
  scene.events.push(...events);
  const { shard } = scene;
  shard.kernel.wait(0, shard.layout.eventsAt, 8, 0);
  copyTogether(shard, events.length);
  expect(scene.calls).toEqual(['transfer 3', 'transfer 3']);
  expect(bytesTo(odd, BACK)).toBe(0);
});

test('of a session with bytes on both sides one goes with the others', () => {
  const slots = [session(), session(), session()];
  const [first = 0] = slots;
  const events = slots.map((slot): [number, number] => [slot * 2 + FRONT, READY]);
  expect(turnWith(...events, [first * 2 + BACK, READY])).toEqual(['transfer 3', 'transfer 3', 'recv 21', 'send 20']);
});

test('big transfers that are ready together come to be spliced, as one alone does', () => {
  scene = makeScene(3);
  const slots = [session(), session(), session()];
  const { shard, queued } = scene;
  const splices = slots.map((slot) => `splice ${FRONT_FD + 10 * slot}`);
  // What arrives of a stream until its turn comes is more than a batch reads of it, and no multiple of anything.
  const arrives = 120_000;
  for (let moved = 0; moved < shard.settings.spliceAfterBytes; moved += arrives) {
    for (const slot of slots) queued.set(FRONT_FD + 10 * slot, arrives);
    const calls = turnWith(...slots.map((slot): [number, number] => [slot * 2 + FRONT, READY]));
    const isOver = moved + arrives >= shard.settings.spliceAfterBytes;
    expect(calls).toEqual(isOver ? expect.arrayContaining(splices) : expect.not.arrayContaining(splices));
  }
});

test('what the kernel did not come to is served one by one, and no byte is written twice', () => {
  const slots = [session(), session(), session()];
  scene.doneMax = 2;
  const calls = turnWith(...slots.map((slot): [number, number] => [slot * 2 + FRONT, READY]));
  expect(calls).toEqual(['transfer 3', 'transfer 2', 'recv 40', 'send 41']);
  scene.doneMax = 1;
  const again = turnWith(...slots.map((slot): [number, number] => [slot * 2 + FRONT, READY]));
  expect(again).toEqual(['transfer 3', 'transfer 1', 'recv 30', 'send 31', 'recv 40', 'send 41']);
  expect(slots.map((slot) => bytesTo(slot, BACK))).toEqual([2 * GOT, 2 * GOT, 2 * GOT]);
});

test('nothing there, the end of the stream and a stalled write, each its own way', () => {
  const [empty = 0, ended = 0, stalled = 0] = [session(), session(), session()];
  scene.answers.set(20, -EAGAIN).set(30, 0).set(41, 3);
  const calls = turnWith(...[empty, ended, stalled].map((slot): [number, number] => [slot * 2 + FRONT, READY]));
  expect(calls).toEqual(['transfer 3', 'transfer 1', 'shutdown 31']);
  const { table } = scene.shard;
  expect(get(table.sideFlags, empty * 2 + FRONT) & READABLE).toBe(0);
  expect([bytesTo(stalled, BACK), pendingBytes(table, stalled * 2 + FRONT)]).toEqual([3, GOT - 3]);
  expect(get(table.sideFlags, stalled * 2 + BACK) & WRITABLE).toBe(0);
});

test('a throw in the midst ends one session, and the others get their bytes', () => {
  const slots = [session(), session(), session()];
  const { shard } = scene;
  const faults: unknown[] = [];
  Object.assign(shard, { onFault: (error: unknown) => faults.push(error) });
  shard.onStep = (slot) => {
    if (slot === slots[1]) throw new Error('a mistake');
  };
  turnWith(...slots.map((slot): [number, number] => [slot * 2 + FRONT, READY]));
  expect(faults).toHaveLength(1);
  expect(slots.map((slot) => get(shard.table.fd, slot * 2))).toEqual([21, 0, 41]);
  expect([bytesTo(0, BACK), bytesTo(2, BACK)]).toEqual([GOT, GOT]);
});

test('a successor passes on what was read, and leaves the session alone that was being stepped', () => {
  const slots = [session(), session(), session()];
  const { shard, transfers } = scene;
  const died = new Error('the thread');
  // It dies while it notes the results, with one of the writes not carried out.
  shard.onStep = () => {
    throw died;
  };
  Object.assign(shard, {
    onFault: (error: unknown) => {
      throw error;
    },
  });
  expect(() => turnWith(...slots.map((slot): [number, number] => [slot * 2 + FRONT, READY]))).toThrow(died);
  const last = transfers[2];
  if (last !== undefined) last.result = NOT_DONE;
  scene.calls.splice(0);
  expect(get(shard.table.shared, STEP_SLOT)).toBe(1);
  recoverBatch(shard);
  expect(slots.map((slot) => bytesTo(slot, BACK))).toEqual([0, GOT, GOT]);
  expect(scene.calls).toEqual(['send 41']);
  recoverBatch(shard);
  expect(scene.calls).toEqual(['send 41']);
});
