// Several reads and writes with one call: Linux's asynchronous I/O (io_submit(2)), whose requests are carried out before the call returns where
// a descriptor is non-blocking. A batch of 16 costs 0.43 of single calls, one of 4 0.69, one of 2 the same: it saves the way
// into the kernel and back, which is long behind a hypervisor, and the caches stay with the kernel's code.
//
// Not io_uring, which could carry out other calls too: containers forbid it (Docker's default profile), and this they allow.
//
// A thread may die between any two statements here. So all that a successor needs to learn what was carried out lies in the shared memory:
// results that were not collected are still in the kernel's queue, which belongs to the process, and those that were bear the number of
// their batch.

import { assert } from '../base/assert.ts';
import { type Cell, Chain } from './chain.ts';
import { type Arena, type Kernel, NOT_DONE, TRANSFERS_MAX } from './kernel.ts';
import { systemCalls as linux } from './system-calls.ts';

// struct iocb and struct io_event (uapi/linux/aio_abi.h), as indices of int32. Both processors are little-endian.
const REQUEST = { index: 0, batch: 1, operation: 4, fd: 5, address: 6, addressHigh: 7, bytes: 8, ints: 16 };
const EVENT = { index: 0, batch: 1, result: 4, ints: 8 };
const READ = 0;
const WRITE = 1;

/** The first cells of the memory (int32): the context, which takes two, the number of the present batch, and how many are submitted. */
const CONTEXT = 0;
const BATCH = 2;
const COUNT = 3;
/** The parts behind them, in bytes. */
const RESULTS_AT = 64;
const POINTERS_AT = RESULTS_AT + TRANSFERS_MAX * 4;
const EVENTS_AT = POINTERS_AT + TRANSFERS_MAX * 8;
const REQUESTS_AT = EVENTS_AT + TRANSFERS_MAX * EVENT.ints * 4;

/** For tests of what a thread leaves that dies half-way. */
export const TRANSFERS_LAYOUT = { CONTEXT, BATCH, COUNT, RESULTS_AT, POINTERS_AT };

type TransferCalls = Pick<
  Kernel,
  'openTransfers' | 'closeTransfers' | 'noteRecv' | 'noteSend' | 'transfer' | 'transferred'
>;

/** @param base where the arena begins in this process */
export function transferCalls(arena: Arena, base: number): TransferCalls {
  let transfers: Transfers | undefined;
  const opened = (): Transfers => {
    assert(transfers !== undefined, 'transfers are open');
    return transfers;
  };
  return {
    openTransfers(at: number): number {
      const made = new Transfers(arena, base, at);
      const error = made.open();
      if (error === 0) transfers = made;
      return error;
    },
    closeTransfers(): void {
      opened().close();
      transfers = undefined;
    },
    noteRecv: (index: number, fd: number, at: number, bytes: number) => opened().note(index, READ, fd, at, bytes),
    noteSend: (index: number, fd: number, at: number, bytes: number) => opened().note(index, WRITE, fd, at, bytes),
    transfer: (count: number) => opened().carryOut(count),
    transferred: (index: number) => opened().resultOf(index),
  };
}

class Transfers {
  readonly #base: number;
  readonly #at: number;
  readonly #cells: Int32Array;
  readonly #results: Int32Array;
  readonly #events: Int32Array;
  readonly #requests: Int32Array;
  readonly #eventsAddress: number;
  readonly #chain: Chain;
  readonly #contextCell: Cell;
  readonly #count: Cell;
  readonly #submitted: Cell;
  readonly #collected: Cell;
  readonly #run: () => number;
  #context = 0;
  #batch = 0;

  constructor({ bytes }: Arena, base: number, at: number) {
    const { buffer } = bytes;
    this.#base = base;
    this.#at = at;
    this.#cells = new Int32Array(buffer, at, RESULTS_AT / 4);
    this.#results = new Int32Array(buffer, at + RESULTS_AT, TRANSFERS_MAX);
    this.#events = new Int32Array(buffer, at + EVENTS_AT, TRANSFERS_MAX * EVENT.ints);
    this.#requests = new Int32Array(buffer, at + REQUESTS_AT, TRANSFERS_MAX * REQUEST.ints);
    this.#eventsAddress = base + at + EVENTS_AT;
    const chain = new Chain(base + at);
    this.#chain = chain;
    this.#contextCell = chain.cell();
    this.#count = chain.cell();
    this.#submitted = chain.cell();
    this.#collected = chain.cell();
    const [pointers, events] = [chain.place(POINTERS_AT), chain.place(EVENTS_AT)];
    chain.add('io_submit', [this.#contextCell, this.#count, pointers], this.#submitted, { least: 1 });
    chain.add('io_getevents', [this.#contextCell, chain.cell(), this.#submitted, events], this.#collected);
    this.#run = chain.finished();
  }

  open(): number {
    const cells = this.#cells;
    const isNew = cells[CONTEXT] === 0 && cells[CONTEXT + 1] === 0;
    const made = isNew ? linux.io_setup(TRANSFERS_MAX, this.#base + this.#at) : 0;
    if (made < 0) return made;
    const [low, high] = [cells[CONTEXT] as number, cells[CONTEXT + 1] as number];
    this.#context = (low >>> 0) + high * 2 ** 32;
    this.#chain.putHalves(this.#contextCell, low, high);
    this.#batch = cells[BATCH] as number;
    this.#writePointers();
    this.#recover();
    return 0;
  }

  close(): void {
    linux.io_destroy(this.#context);
    this.#cells.fill(0);
  }

  note(index: number, operation: number, fd: number, at: number, bytes: number): void {
    const request = index * REQUEST.ints;
    const address = this.#base + at;
    this.#requests[request + REQUEST.index] = index;
    this.#requests[request + REQUEST.batch] = this.#batch;
    // The upper half of this cell is a priority, and 0.
    this.#requests[request + REQUEST.operation] = operation;
    this.#requests[request + REQUEST.fd] = fd;
    this.#requests[request + REQUEST.address] = address | 0;
    this.#requests[request + REQUEST.addressHigh] = address / 2 ** 32;
    this.#requests[request + REQUEST.bytes] = bytes;
    this.#results[index] = NOT_DONE;
  }

  carryOut(count: number): void {
    this.#cells[COUNT] = count;
    this.#chain.put(this.#count, count);
    this.#chain.put(this.#collected, 0);
    this.#run();
    // Those from the first that it refused stay undone. It refuses what is no open descriptor, or all when it has no memory.
    this.#noteResults(this.#chain.take(this.#collected));
    this.#nextBatch();
  }

  resultOf(index: number): number {
    return this.#results[index] as number;
  }

  #noteResults(count: number): void {
    for (let i = 0; i < count; i++) {
      const event = i * EVENT.ints;
      this.#results[this.#events[event + EVENT.index] as number] = this.#events[event + EVENT.result] as number;
    }
  }

  /** What a predecessor has submitted and not learned. */
  #recover(): void {
    const count = this.#cells[COUNT] as number;
    let known = 0;
    while (known < count && this.#events[known * EVENT.ints + EVENT.batch] === this.#batch) known++;
    if (count > 0) {
      const address = this.#eventsAddress + known * EVENT.ints * 4;
      this.#noteResults(known + Math.max(0, linux.io_getevents(this.#context, 0, count - known, address)));
    }
    this.#nextBatch();
  }

  #nextBatch(): void {
    this.#cells[COUNT] = 0;
    // Never 0: that is the number of events that nobody has written yet.
    this.#batch = (this.#batch + 1) | 0 || 1;
    this.#cells[BATCH] = this.#batch;
  }

  #writePointers(): void {
    const pointers = new BigUint64Array(this.#cells.buffer, this.#at + POINTERS_AT, TRANSFERS_MAX);
    for (let i = 0; i < TRANSFERS_MAX; i++) {
      pointers[i] = BigInt(this.#base + this.#at + REQUESTS_AT + i * REQUEST.ints * 4);
    }
  }
}
