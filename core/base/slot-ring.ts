// A queue of slots, first in, first out, each in it at most once. It allocates nothing after it was made.

export interface SlotRing {
  readonly slots: Int32Array;
  readonly isIn: Uint8Array;
  head: number;
  count: number;
}

/** @param capacity slots are 0 to capacity - 1 */
export function createSlotRing(capacity: number): SlotRing {
  return { slots: new Int32Array(capacity), isIn: new Uint8Array(capacity), head: 0, count: 0 };
}

/** Puts a slot at the end; one that is in the queue stays where it is. */
export function pushSlot(ring: SlotRing, slot: number): void {
  if (ring.isIn[slot] === 1) return;
  ring.isIn[slot] = 1;
  ring.slots[(ring.head + ring.count) % ring.slots.length] = slot;
  ring.count++;
}

/** @returns the first one. The caller has seen that there is one. */
export function shiftSlot(ring: SlotRing): number {
  const slot = ring.slots[ring.head] as number;
  ring.head = (ring.head + 1) % ring.slots.length;
  ring.count--;
  ring.isIn[slot] = 0;
  return slot;
}
