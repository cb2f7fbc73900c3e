// Stage 5 to 6: what becomes of a session after its directions were pumped. FIN promises every byte, a reset promises nothing:
// an orderly end is passed on as a FIN, an abort as a reset, and neither overtakes bytes that are still on their way.
//
//   front       back        what follows
//   FIN'd       FIN'd       close both
//   failed      -           reset the back, once it has everything
//   -           failed      reset the front, once it has everything
//   FIN'd       broken      the node is gone, the client has its answer: linger on the front
//   broken      FIN'd       the client is gone: reset the back, once it has everything
//   broken      broken      close both
//
// "FIN'd": our FIN went there, because the other side's stream ended. "broken": it takes no more bytes. "failed": its stream
// ended with an error, and what came before that was passed on.

import { beginLingering, beginResetting, endSession } from './close.ts';
import { timerOf } from './deadline.ts';
import { IN, noteOutcome, WHO } from './outcome.ts';
import { hasPending } from './pending.ts';
import type { Shard } from './shard.ts';
import {
  BACK,
  FRONT,
  get,
  HUNG_UP,
  READ_ENDED,
  READ_FAILED,
  type SessionTable,
  WRITE_BROKEN,
  WRITE_ENDED,
} from './table.ts';

export function settle(shard: Shard, slot: number): void {
  const { table } = shard;
  noteGone(table, slot, FRONT);
  noteGone(table, slot, BACK);
  const front = get(table.sideFlags, slot * 2 + FRONT);
  const back = get(table.sideFlags, slot * 2 + BACK);
  if (((front | back) & (WRITE_ENDED | WRITE_BROKEN | READ_FAILED | HUNG_UP | READ_ENDED)) === 0) return;

  const frontFailed = (front & READ_FAILED) !== 0 && !hasPending(table, slot * 2 + FRONT);
  const backFailed = (back & READ_FAILED) !== 0 && !hasPending(table, slot * 2 + BACK);
  const isFrontDead = frontFailed || (front & WRITE_BROKEN) !== 0;
  const isBackDead = backFailed || (back & WRITE_BROKEN) !== 0;
  if ((front & back & WRITE_ENDED) !== 0 || (isFrontDead && isBackDead)) return endSession(shard, slot);
  if (frontFailed) return beginResetting(shard, slot, BACK);
  if (backFailed) return beginResetting(shard, slot, FRONT);
  if ((front & WRITE_ENDED) !== 0 && (back & WRITE_BROKEN) !== 0) return beginLingering(shard, slot);
  if ((front & WRITE_BROKEN) !== 0 && (back & WRITE_ENDED) !== 0) return beginResetting(shard, slot, BACK);
  // One direction goes on alone, on a shorter leash.
  shard.wheel.arm(slot, timerOf(shard, slot));
}

/**
 * HUP on a side that has sent its FIN but not got ours means that it was reset since (tcp_poll: both directions are shut only
 * then). A write would tell, but there may never be one.
 */
function noteGone(table: SessionTable, slot: number, which: number): void {
  const side = slot * 2 + which;
  const flags = get(table.sideFlags, side);
  if ((flags & (HUNG_UP | READ_ENDED | WRITE_ENDED | WRITE_BROKEN)) === (HUNG_UP | READ_ENDED)) {
    table.sideFlags[side] = flags | WRITE_BROKEN;
    noteOutcome(table, slot, which === FRONT ? WHO.client : WHO.node, IN.data);
  }
}
