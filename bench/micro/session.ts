// What every session does besides moving bytes: it takes and gives a slot of the table and arms its timer; and the reactor moves
// the wheel on at every wake. Slots are given in the order they were taken, so that the walk goes over the table's memory and does
// not stay on one cache line.

import { ARMED_TIMERS, type Operation, type Operations } from './catalogue.ts';
import { expectEqual, importPart } from './core.ts';
import { createRandom, VARIANT_MASK, VARIANTS } from './inputs.ts';

type Table = typeof import('../../core/session/table.ts');
type SessionTable = import('../../core/session/table.ts').SessionTable;
type Wheel = typeof import('../../core/base/timer-wheel.ts');
type TimerWheel = import('../../core/base/timer-wheel.ts').TimerWheel;

/** Sessions alive at any time: all variants and the one just taken. */
const CAPACITY = 2 * VARIANTS;
const SHORTEST_MS = 100;
const LONGEST_MS = 60_000;
const TIMER_SEED = 3;

export async function slotOperations(root: string): Promise<Operations> {
  const part: Table = await importPart(root, 'core/session/table.ts', [
    'createSessionTable',
    'sessionTableBytes',
    'takeSlot',
    'giveSlot',
    'PHASE_RELAYING',
  ]);
  return { takeGiveSlot: takeGive(part) };
}

function takeGive({ createSessionTable, sessionTableBytes, takeSlot, giveSlot, PHASE_RELAYING }: Table): Operation {
  const create = () => createSessionTable(new SharedArrayBuffer(sessionTableBytes(CAPACITY)), CAPACITY);
  const take = (table: SessionTable) => {
    const slot = takeSlot(table);
    table.phase[slot] = PHASE_RELAYING;
    return slot;
  };
  const table = create();
  const held = Int32Array.from({ length: VARIANTS }, () => take(table));
  return {
    check() {
      const fresh = create();
      const slots = Array.from({ length: CAPACITY }, () => take(fresh));
      expectEqual('different slots', new Set(slots).size, CAPACITY);
      expectEqual('a slot of a full table', takeSlot(fresh), -1);
      giveSlot(fresh, 7);
      expectEqual('generation of a slot that was given back', fresh.generation[7], 1);
      expectEqual('the slot taken next', takeSlot(fresh), 7);
    },
    batch(count) {
      let sum = 0;
      for (let i = 0; i < count; i++) {
        const slot = take(table);
        giveSlot(table, held[i & VARIANT_MASK] ?? 0);
        held[i & VARIANT_MASK] = slot;
        sum = (sum + slot) | 0;
      }
      return sum;
    },
  };
}

export async function timerOperations(root: string): Promise<Operations> {
  const part: Wheel = await importPart(root, 'core/base/timer-wheel.ts', ['createTimerWheel', 'TIMER_TICK_MS']);
  return { timerArm: arm(part), timerAdvance: advance(part) };
}

/** Evenly spread over the range that connect, linger and idle timeouts have. */
const delaysMs = (() => {
  const random = createRandom(TIMER_SEED);
  return Float64Array.from({ length: VARIANTS }, () => SHORTEST_MS + random() * (LONGEST_MS - SHORTEST_MS));
})();
const delayMs = (i: number) => delaysMs[i & VARIANT_MASK] ?? 0;

/** All armed, at a time of 0. */
function makeWheel({ createTimerWheel }: Wheel): TimerWheel {
  const wheel = createTimerWheel(ARMED_TIMERS, 0);
  for (let id = 0; id < ARMED_TIMERS; id++) wheel.arm(id, delayMs(id));
  return wheel;
}

/** Every timer falls due once, not early and late by less than a tick. */
function checkWheel(part: Wheel, wheel: TimerWheel, deadlineMs: (id: number) => number): void {
  let expired = 0;
  for (let nowMs = 0; nowMs <= 2 * LONGEST_MS; nowMs += part.TIMER_TICK_MS) {
    wheel.advance(nowMs, (id) => {
      const lateMs = nowMs - deadlineMs(id);
      if (lateMs < 0 || lateMs >= part.TIMER_TICK_MS) throw new Error(`timer ${id} is ${lateMs} ms late`);
      expired++;
    });
  }
  expectEqual('timers that fell due', expired, ARMED_TIMERS);
}

function arm(part: Wheel): Operation {
  const wheel = makeWheel(part);
  return {
    check() {
      const fresh = makeWheel(part);
      for (let id = 0; id < ARMED_TIMERS; id++) fresh.arm(id, delayMs(id + 1));
      checkWheel(part, fresh, (id) => delayMs(id + 1));
    },
    batch(count) {
      let id = 0;
      for (let i = 0; i < count; i++) {
        wheel.arm(id, delayMs(i));
        id = id + 1 < ARMED_TIMERS ? id + 1 : 0;
      }
      return id;
    },
  };
}

/** Whoever falls due is armed again, so that there are always as many. */
function advance(part: Wheel): Operation {
  const wheel = makeWheel(part);
  let nowMs = 0;
  let expired = 0;
  const expire = (id: number) => {
    expired = (expired + 1) | 0;
    wheel.arm(id, nowMs + delayMs(id + expired));
  };
  return {
    check: () => checkWheel(part, makeWheel(part), delayMs),
    batch(count) {
      for (let i = 0; i < count; i++) {
        nowMs += part.TIMER_TICK_MS;
        wheel.advance(nowMs, expire);
      }
      return expired;
    },
  };
}
