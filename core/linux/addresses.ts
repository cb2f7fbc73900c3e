// Offsets in an arena -> addresses in this process, as the numbers that system calls take. An address is too large for V8's small
// integers, so `base + offset` would allocate a box for each call: 64 bytes per relayed request, and no other garbage. The
// boxes of offsets used lately are kept instead.

/** offsets whose boxes are kept; a power of two */
const KEPT = 64;

export class Addresses {
  private readonly base: number;
  private readonly offsets = new Int32Array(KEPT).fill(-1);
  /** Filled with what is no number: V8 would keep an array of nothing but numbers unboxed, and box them at each read. */
  private readonly boxes = new Array<number | undefined>(KEPT).fill(undefined);

  /** @param base where the arena begins */
  constructor(base: number) {
    this.base = base;
  }

  /** @param at offset in the arena */
  of(at: number): number {
    // Parts of the arena differ in the higher bits, places within one in the lower.
    const place = (at ^ (at >> 6)) & (KEPT - 1);
    const box = this.boxes[place];
    if (box !== undefined && this.offsets[place] === at) return box;
    return this.keep(place, at);
  }

  private keep(place: number, at: number): number {
    const address = this.base + at;
    this.offsets[place] = at;
    this.boxes[place] = address;
    return address;
  }
}
