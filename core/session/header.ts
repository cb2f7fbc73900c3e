// Stage 4, header: the PROXY header goes out once the node is connected, in one write: many receivers drop a header that
// arrives in two pieces. Client bytes that are already there ride along. But for one turn of the event loop (connect.ts) they are not
// waited for, because on server-first protocols (SMTP, MySQL) there are none.

import { assert } from '../base/assert.ts';
import { EAGAIN, ENOBUFS } from '../base/errno.ts';
import { ENDPOINTS_BYTES } from '../base/ip.ts';
import { connectFailed } from './connect.ts';
import { SEGMENT_BYTES_SURE } from './limits.ts';
import { IN } from './outcome.ts';
import { hasPending, hasRoom, hold } from './pending.ts';
import { noteRead } from './readiness.ts';
import { breakWrite, sendAtOnce } from './relay.ts';
import type { Shard } from './shard.ts';
import { hasSpillRoom } from './spill.ts';
import { BACK, FRONT, get, READABLE, WRITABLE } from './table.ts';

/** @returns whether the node has the session now; else it has gone on to another, or has ended */
export function sendHeader(shard: Shard, slot: number): boolean {
  const { arena, kernel, layout, table } = shard;
  const header = shard.headers[get(table.node, slot) - 1];
  assert(header !== undefined, 'a connected session without a node');
  // After a retry the client's first bytes may already wait in a pipe or in the spill slab: they follow by the ordinary way.
  const headerBytes = header.write(arena.bytes, layout.scratchAt, table.endpoints, slot * ENDPOINTS_BYTES);
  const early = readEarly(shard, slot, layout.scratchAt + headerBytes);
  const total = headerBytes + early;
  if (total === 0) return true;

  const front = slot * 2 + FRONT;
  const back = slot * 2 + BACK;
  if (total > SEGMENT_BYTES_SURE) sendAtOnce(shard, back);
  const sent = kernel.send(get(table.fd, back) - 1, layout.scratchAt, total);
  if (sent < 0 && sent !== -EAGAIN) {
    if (kernel.unread(get(table.fd, back) - 1) > 0) {
      noteUnasked(shard, slot, early, -sent);
      return true;
    }
    // Nothing was forwarded, so another node may still have the connection, and gets a fresh header.
    if (early > 0) hold(shard, slot, front, layout.scratchAt + headerBytes, early);
    connectFailed(shard, slot, -sent, IN.header);
    return false;
  }
  const taken = Math.max(sent, 0);
  if (taken < total && early === 0 && (hasPending(table, front) || !hasRoom(shard, front))) {
    // A header goes before what waits already, and there is no place for it there. Memory is short, and not by the node's fault.
    // What it has of this header is not to look like all of a connection.
    kernel.resetOnClose(get(table.fd, back) - 1);
    connectFailed(shard, slot, ENOBUFS, IN.header);
    return false;
  }
  table.headerBytes[slot] = headerBytes;
  table.bytesTo[back] = get(table.bytesTo, back) + taken;
  if (taken < total) {
    table.sideFlags[back] = get(table.sideFlags, back) & ~WRITABLE;
    hold(shard, slot, front, layout.scratchAt + taken, total - taken);
  }
  return true;
}

/** The node has spoken and hung up before it heard a word ("too many connections"): what it said reaches the client. */
function noteUnasked(shard: Shard, slot: number, early: number, errno: number): void {
  const { table } = shard;
  table.bytesLost[slot] = get(table.bytesLost, slot) + early;
  breakWrite(shard, slot, slot * 2 + FRONT, slot * 2 + BACK, errno);
}

/** Client bytes that are there already, read to `at`. @returns how many; the end of the stream and errors are noted as usual */
function readEarly(shard: Shard, slot: number, at: number): number {
  const { kernel, settings, table } = shard;
  const front = slot * 2 + FRONT;
  if ((get(table.sideFlags, front) & READABLE) === 0) return 0;
  // What the node does not take must have a place to go.
  if (hasPending(table, front) || !hasSpillRoom(shard.spill)) return 0;
  const n = kernel.recv(get(table.fd, front) - 1, at, settings.bufferBytes);
  return noteRead(shard, slot, FRONT, n, settings.bufferBytes);
}
