// What a side gets whose session we end before its time: a FIN only where the other side's FIN was
// passed to it, a reset everywhere else, whatever the cause. At a timeout the reset waits for what
// was passed on; on all other occasions it goes at once.

import { describe, expect, test } from 'vitest';
import { EPOLLERR, EPOLLHUP } from '../../../core/linux/kernel.ts';
import { SHARD } from '../../../core/metrics/counters.ts';
import { dropSession, endSession } from '../../../core/session/close.ts';
import { resetAllCut } from '../../../core/session/cut.ts';
import { adoptShard, killAll } from '../../../core/session/lifecycle.ts';
import { RESET_POLL_MS } from '../../../core/session/limits.ts';
import { outcomeCode } from '../../../core/session/outcome.ts';
import { cutNode, killSessions, sessionReady, sessionTimer } from '../../../core/session/session.ts';
import type { Shard } from '../../../core/session/shard.ts';
import {
  BACK,
  FRONT,
  get,
  HUNG_UP,
  PHASE_CONNECTING,
  PHASE_FREE,
  PHASE_RESETTING,
  READ_ENDED,
  READ_FAILED,
  STEP_SLOT,
  WRITABLE,
  WRITE_BROKEN,
  WRITE_ENDED,
} from '../../../core/session/table.ts';
import { BACK_FD, FRONT_FD, fakeShard, nodePlan, relaying, SETTINGS, serve, spilled } from './support.ts';

const CLIENT_ENDED = { front: READ_ENDED, back: WRITE_ENDED };
const NODE_ENDED = { front: WRITE_ENDED, back: READ_ENDED };

interface Flags {
  readonly front: number;
  readonly back: number;
}

function session({ front, back }: Flags) {
  const fake = fakeShard({}, { openEpoll: () => 5, prepareConnections: () => {}, watch: () => 0, setOption: () => 0 });
  serve(fake.shard, [nodePlan(0)]);
  const slot = relaying(fake.shard, front, back);
  return { ...fake, slot };
}

/** Descriptors that were reset, and those that were closed. */
function ends(calls: readonly string[]) {
  const of = (call: string) => calls.filter((one) => one.startsWith(call)).map((one) => Number(one.split(' ')[1]));
  return { reset: of('reset').sort(), closed: of('close').sort() };
}

const BOTH = [FRONT_FD, BACK_FD];

const CAUSES: readonly (readonly [name: string, end: (shard: Shard, slot: number) => void])[] = [
  ['the operator', (shard, slot) => killSessions(shard, [{ slot, generation: 0 }])],
  ['the drain deadline', (shard) => killAll(shard)],
  ['a node that went down', (shard) => cutNode(shard, 0)],
  [
    'a throw in its step',
    (shard, slot) => {
      Object.assign(shard, {
        onFault: () => {},
        onStep: () => {
          throw new Error('on purpose');
        },
      });
      sessionReady(shard, slot * 2, 0);
    },
  ],
  ['an end that threw', (shard, slot) => dropSession(shard, slot)],
  [
    'a thread that died in its step',
    (shard, slot) => {
      shard.table.shared[STEP_SLOT] = slot + 1;
      expect(adoptShard(shard)).toBe(0);
    },
  ],
  [
    'a timeout with nothing on its way',
    (shard, slot) => {
      shard.nowMs += SETTINGS.idleTimeoutMs;
      sessionTimer(shard, slot);
    },
  ],
];

describe.for(CAUSES)('ended by %s', ([, end]) => {
  test.for([
    ['nobody has ended', { front: 0, back: WRITABLE }, BOTH],
    ['the client has ended, and the node knows', CLIENT_ENDED, [FRONT_FD]],
    ['the node has ended, and the client knows', NODE_ENDED, [BACK_FD]],
    ['a FIN was read and is not passed on yet', { front: WRITABLE, back: READ_ENDED }, BOTH],
    // Its kernel has closed it, and told its peer what there was to tell.
    ['the client is gone', { front: WRITE_BROKEN, back: WRITABLE }, [BACK_FD]],
  ] as const)('%s', ([, flags, reset]) => {
    const { calls, shard, slot } = session(flags);
    end(shard, slot);
    expect(ends(calls)).toEqual({ reset, closed: BOTH });
    expect(shard.table.phase[slot]).toBe(PHASE_FREE);
  });
});

test('bytes that wait here are lost, and counted', () => {
  for (const ms of [0, SETTINGS.idleTimeoutMs]) {
    const { shard, slot } = session({ front: 0, back: 0 });
    spilled(shard, slot * 2 + BACK, 10);
    shard.nowMs += ms;
    if (ms > 0) sessionTimer(shard, slot);
    else endSession(shard, slot);
    expect(shard.counters.shard[SHARD.bytesLost]).toBe(10);
  }
});

test('a side without a socket is left out', () => {
  const { calls, shard, slot } = session({ front: 0, back: 0 });
  shard.table.phase[slot] = PHASE_CONNECTING;
  shard.table.fd[slot * 2 + BACK] = 0;
  endSession(shard, slot);
  expect(calls).toEqual([`reset ${FRONT_FD}`, `close ${FRONT_FD}`]);
});

describe('a timeout', () => {
  /** @param unsent by descriptor */
  function timedOut(flags: Flags, unsent: Record<number, number>, unread: Record<number, number> = {}) {
    const made = session(flags);
    for (const [fd, bytes] of Object.entries(unsent)) made.unsent.set(Number(fd), bytes);
    for (const [fd, bytes] of Object.entries(unread)) made.unread.set(Number(fd), bytes);
    made.shard.nowMs += SETTINGS.idleTimeoutMs;
    sessionTimer(made.shard, made.slot);
    return made;
  }

  /** What was done by the next look. */
  function later({ calls, shard, slot }: ReturnType<typeof session>, ms = RESET_POLL_MS): string[] {
    calls.length = 0;
    shard.nowMs += ms;
    sessionTimer(shard, slot);
    return calls;
  }

  test('waits for what was passed on, on each side for itself', () => {
    const made = timedOut({ front: 0, back: 0 }, { [FRONT_FD]: 500, [BACK_FD]: 20 });
    expect([made.calls, made.shard.table.phase[made.slot]]).toEqual([[], PHASE_RESETTING]);
    expect(made.shard.wheel.isArmed(made.slot)).toBe(true);
    made.unsent.set(BACK_FD, 0);
    expect(later(made)).toEqual([`reset ${BACK_FD}`, `close ${BACK_FD}`]);
    expect(later(made)).toEqual([]);
    made.unsent.set(FRONT_FD, 0);
    expect(later(made)).toEqual([`reset ${FRONT_FD}`, `close ${FRONT_FD}`]);
    const { table } = made.shard;
    expect(table.phase[made.slot]).toBe(PHASE_FREE);
  });

  test('waits as long as it becomes less, and no longer', () => {
    const made = timedOut({ front: 0, back: 0 }, { [FRONT_FD]: 500, [BACK_FD]: 20 });
    for (let bytes = 400; bytes > 0; bytes -= 100) {
      made.unsent.set(FRONT_FD, bytes);
      expect(later(made, SETTINGS.lingerTimeoutMs - 1)).toEqual([]);
    }
    expect(later(made, SETTINGS.lingerTimeoutMs - 1)).toEqual([]);
    expect(ends(later(made, 1))).toEqual({ reset: BOTH, closed: BOTH });
  });

  test('does not wait for a side that is reset meanwhile', () => {
    const made = timedOut({ front: 0, back: 0 }, { [FRONT_FD]: 500, [BACK_FD]: 20 });
    sessionReady(made.shard, made.slot * 2 + FRONT, EPOLLERR | EPOLLHUP);
    expect(ends(made.calls)).toEqual({ reset: [FRONT_FD], closed: [FRONT_FD] });
    expect(made.shard.table.phase[made.slot]).toBe(PHASE_RESETTING);
  });

  test.for([
    ['that takes no more', WRITE_BROKEN],
    ['that has failed', READ_FAILED],
    ['that was reset, and has more to be read', HUNG_UP],
  ] as const)('does not wait for a side %s', ([, front]) => {
    const made = timedOut({ front, back: 0 }, { [FRONT_FD]: 500, [BACK_FD]: 20 });
    expect(ends(made.calls).closed).toEqual([FRONT_FD]);
  });

  test('leaves the end of a stream with its FIN to the kernel, and the other side waits', () => {
    const made = timedOut(NODE_ENDED, { [FRONT_FD]: 500, [BACK_FD]: 20 });
    expect(made.calls).toEqual([`close ${FRONT_FD}`]);
    made.unsent.set(BACK_FD, 0);
    expect(later(made)).toEqual([`reset ${BACK_FD}`, `close ${BACK_FD}`]);
  });

  test('does not leave it to a close that would be a reset, for want of somebody who reads: the end arrives first', () => {
    const made = timedOut(NODE_ENDED, { [FRONT_FD]: 500 }, { [FRONT_FD]: 9 });
    expect(made.calls).toEqual([`reset ${BACK_FD}`, `close ${BACK_FD}`]);
    made.unsent.set(FRONT_FD, 0);
    expect(later(made)).toEqual([`reset ${FRONT_FD}`, `close ${FRONT_FD}`]);
  });

  test('names the silent one', () => {
    const made = timedOut({ front: 0, back: 0 }, { [FRONT_FD]: 500 });
    const { outcomePhase, outcomeWho } = made.shard.table;
    expect(outcomeCode(get(outcomeWho, made.slot), get(outcomePhase, made.slot))).toBe('cD');
  });

  test('is over at once when the operator says so', () => {
    const made = timedOut({ front: 0, back: 0 }, { [FRONT_FD]: 500, [BACK_FD]: 20 });
    killSessions(made.shard, [{ slot: made.slot, generation: 0 }]);
    expect(ends(made.calls)).toEqual({ reset: BOTH, closed: BOTH });
  });
});

test('before the process ends, every open socket of the table without a FIN is told to reset, and none is closed', () => {
  const { calls, shard, slot } = session({ front: 0, back: 0 });
  const { table } = shard;
  const fdsOf = (of: number, front: number, back: number) => {
    table.fd[of * 2 + FRONT] = front + 1;
    table.fd[of * 2 + BACK] = back + 1;
  };
  const [ended, connecting, gone] = [NODE_ENDED, { front: 0, back: 0 }, { front: 0, back: 0 }].map(({ front, back }) =>
    relaying(shard, front, back),
  ) as [number, number, number];
  fdsOf(ended, 30, 31);
  table.phase[connecting] = PHASE_CONNECTING;
  fdsOf(connecting, 40, -1);
  endSession(shard, gone);
  calls.length = 0;
  resetAllCut(shard.kernel, table);
  expect(calls).toEqual([...BOTH, 31, 40].map((fd) => `reset ${fd}`));
  expect(table.fd[slot * 2 + FRONT]).toBe(FRONT_FD + 1);
});
