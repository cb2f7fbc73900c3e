// Several reads and writes with one call. What is noted and what came of it lies in the arena, where a successor finds it. Now and then the
// call stops early, as Linux does that has no memory for more.

import { NOT_DONE, TRANSFERS_BYTES, TRANSFERS_MAX } from '../../core/linux/kernel.ts';
import { PipeCalls } from './pipe-calls.ts';

/** int32 cells of one transfer: what it is, descriptor, place, bytes, result */
const CELLS = 5;
const RECV = 1;
const SEND = 2;

export abstract class TransferCalls extends PipeCalls {
  #cells: Int32Array | undefined;

  openTransfers(at: number): number {
    this.enter();
    this.span(at, TRANSFERS_BYTES, 'openTransfers');
    this.#cells = new Int32Array(this.arena.bytes.buffer, at, TRANSFERS_MAX * CELLS);
    return 0;
  }

  closeTransfers(): void {
    this.enter();
    if (this.#cells === undefined) this.violate('closeTransfers: they are not open');
    this.#cells = undefined;
  }

  noteRecv(index: number, fd: number, at: number, bytes: number): void {
    this.#note(index, [RECV, fd, at, bytes, NOT_DONE]);
  }

  noteSend(index: number, fd: number, at: number, bytes: number): void {
    this.#note(index, [SEND, fd, at, bytes, NOT_DONE]);
  }

  transfer(count: number): void {
    this.enter();
    if (count < 1 || count > TRANSFERS_MAX) this.violate(`transfer: ${count} of them`);
    const done = this.random.chance(this.faults.partialTransfers) ? this.random.int(0, count) : count;
    for (let index = 0; index < done; index++) {
      const [what = 0, fd = 0, at = 0, bytes = 0] = this.#transfer(index);
      this.#transfer(index)[CELLS - 1] = what === RECV ? this.recv(fd, at, bytes) : this.send(fd, at, bytes);
    }
  }

  transferred(index: number): number {
    return this.#transfer(index)[CELLS - 1] ?? NOT_DONE;
  }

  #note(index: number, cells: readonly number[]): void {
    if (!Number.isInteger(index) || index < 0 || index >= TRANSFERS_MAX) this.violate(`a transfer of number ${index}`);
    this.#transfer(index).set(cells);
  }

  #transfer(index: number): Int32Array {
    if (this.#cells === undefined) {
      this.violate('transfers are not open');
      return new Int32Array(CELLS);
    }
    return this.#cells.subarray(index * CELLS, (index + 1) * CELLS);
  }
}
