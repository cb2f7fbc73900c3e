// Pipes as in fs/pipe.c: a ring of slots, not of bytes. write(2) fills a page per slot and may add to the last page; splice(2)
// takes a slot per piece, however small or large the piece is. So a pipe can be full with 16 bytes, and a 64 KiB pipe can
// hold more than 64 KiB. What a user without privileges may have in pipes is counted in pages (pipe(7)).

import { EAGAIN, EBUSY, EPERM, EPIPE } from '../../core/base/errno.ts';
import { SegmentQueue } from './segment-queue.ts';

export const PAGE_BYTES = 4096;
const DEFAULT_SLOTS = 16;
/** PIPE_MIN_DEF_BUFFERS: what a pipe gets beyond the soft limit. */
const POOR_SLOTS = 2;
/** /proc/sys/fs/pipe-max-size */
const SLOTS_MAX = 256;

/** What all pipes of this user hold, in pages (pipe-user-pages-soft). */
export interface PipePages {
  used: number;
  readonly softLimit: number;
}

export class Pipe {
  /** One segment per slot, except that `#tailRoom` bytes may still be added to the last one. */
  readonly #content = new SegmentQueue();
  readonly #slotBytes: number[] = [];
  #tailRoom = 0;
  #slotsMax: number;
  readonly #pages: PipePages;
  readerOpen = true;
  writerOpen = true;

  constructor(pages: PipePages) {
    this.#pages = pages;
    this.#slotsMax = pages.used + DEFAULT_SLOTS > pages.softLimit ? POOR_SLOTS : DEFAULT_SLOTS;
    pages.used += this.#slotsMax;
  }

  get bytes(): number {
    return this.#content.bytes;
  }

  get sizeBytes(): number {
    return this.#slotsMax * PAGE_BYTES;
  }

  /** What the first slots hold, at most so many of them. */
  bytesOf(slots: number): number {
    let bytes = 0;
    for (const slotBytes of this.#slotBytes.slice(0, slots)) bytes += slotBytes;
    return bytes;
  }

  get isFull(): boolean {
    return this.#slotBytes.length >= this.#slotsMax;
  }

  resize(bytes: number): number {
    const slots = Math.max(1, 2 ** Math.ceil(Math.log2(bytes / PAGE_BYTES)));
    const more = slots - this.#slotsMax;
    if (slots > SLOTS_MAX) return -EPERM;
    if (more > 0 && this.#pages.used + more > this.#pages.softLimit) return -EPERM;
    if (slots < this.#slotBytes.length) return -EBUSY;
    this.#pages.used += more;
    this.#slotsMax = slots;
    return this.sizeBytes;
  }

  /** write(2). @param source is copied */
  write(source: Uint8Array): number {
    if (!this.readerOpen) return -EPIPE;
    let written = this.#fillTail(source);
    while (written < source.length && !this.isFull) {
      const page = source.slice(written, written + PAGE_BYTES);
      this.addSlot(page);
      this.#tailRoom = PAGE_BYTES - page.length;
      written += page.length;
    }
    return written > 0 ? written : -EAGAIN;
  }

  /** The last page is added to only when the odd bytes fit it whole, and never one that splice brought. */
  #fillTail(source: Uint8Array): number {
    const odd = source.length % PAGE_BYTES;
    const last = this.#slotBytes.length - 1;
    if (odd === 0 || odd > this.#tailRoom || last < 0) return 0;
    this.#content.push(source.slice(0, odd));
    this.#slotBytes[last] = (this.#slotBytes[last] ?? 0) + odd;
    this.#tailRoom -= odd;
    return odd;
  }

  /** The caller has seen that the pipe is not full. */
  addSlot(piece: Uint8Array): void {
    this.#content.push(piece);
    this.#slotBytes.push(piece.length);
    this.#tailRoom = 0;
  }

  /** Takes exactly `bytes`, which must be there. A slot is free again once all of it is taken. */
  take(bytes: number, show: (piece: Uint8Array) => void): void {
    this.#content.take(bytes, show);
    for (let left = bytes; left > 0; ) {
      const first = this.#slotBytes[0] ?? 0;
      if (first > left) {
        this.#slotBytes[0] = first - left;
        return;
      }
      this.#slotBytes.shift();
      left -= first;
    }
  }

  closeEnd(side: 'read' | 'write'): void {
    if (side === 'read') this.readerOpen = false;
    else this.writerOpen = false;
    if (!this.readerOpen && !this.writerOpen) this.#pages.used -= this.#slotsMax;
  }
}
