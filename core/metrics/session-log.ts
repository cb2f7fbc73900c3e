// The ring of ended sessions between one shard (writer) and the main thread (reader), in shared memory. The writer never waits:
// when the ring is full the record is dropped, and the caller counts it. Records are numbers; formatting is the reader's business.

import { assert } from '../base/assert.ts';
import { ENDPOINTS_BYTES } from '../base/ip.ts';

/** Numbers of one record, in this order (float64). */
export const LOG_FIELDS = [
  'connection',
  'acceptedMs',
  'connectedMs',
  'firstByteMs',
  'endedMs',
  'frontend',
  'node',
  'attempts',
  'bytesFromFront',
  'bytesToFront',
  'bytesFromBack',
  'bytesToBack',
  'bytesSpliced',
  'headerBytes',
  'outcomeWho',
  'outcomePhase',
  'frontErrno',
  'backErrno',
] as const;

export type LogField = (typeof LOG_FIELDS)[number];
export type SessionRecord = Record<LogField, number> & { endpoints: Uint8Array };

const RECORD_BYTES = LOG_FIELDS.length * 8 + ((ENDPOINTS_BYTES + 7) & ~7);
const HEADER_BYTES = 128;
/** cells of the header (int32), a cache line each: records written and read so far, both wrapping at 2^32 */
const HEAD = 0;
const TAIL = 16;

export function sessionLogBytes(records: number): number {
  return HEADER_BYTES + records * RECORD_BYTES;
}

export interface SessionLog {
  readonly records: number;
  readonly cursors: Int32Array;
  readonly numbers: Float64Array;
  readonly bytes: Uint8Array;
}

/** @param records a power of two, or places would jump where the cursors wrap */
export function createSessionLog(memory: SharedArrayBuffer, records: number): SessionLog {
  assert((records & (records - 1)) === 0, 'the ring is not a power of two long');
  return {
    records,
    cursors: new Int32Array(memory, 0, HEADER_BYTES / 4),
    numbers: new Float64Array(memory, HEADER_BYTES, (records * RECORD_BYTES) / 8),
    bytes: new Uint8Array(memory, HEADER_BYTES, records * RECORD_BYTES),
  };
}

/** Index into `numbers` of the record to fill next, or -1 when the ring is full. Endpoints go to `endpointsIndex(...)`. */
export function beginRecord(log: SessionLog): number {
  const head = Atomics.load(log.cursors, HEAD);
  if (((head - Atomics.load(log.cursors, TAIL)) | 0) >= log.records) return -1;
  return ((head >>> 0) % log.records) * (RECORD_BYTES / 8);
}

/** Index into `bytes` of a record's endpoints block. */
export function endpointsIndex(record: number): number {
  return (record + LOG_FIELDS.length) * 8;
}

/** Makes the record that `beginRecord` named visible to the reader. */
export function commitRecord(log: SessionLog): void {
  Atomics.add(log.cursors, HEAD, 1);
}

/** Takes the oldest record, or undefined. */
export function takeRecord(log: SessionLog): SessionRecord | undefined {
  const tail = Atomics.load(log.cursors, TAIL);
  if (tail === Atomics.load(log.cursors, HEAD)) return undefined;
  const at = ((tail >>> 0) % log.records) * (RECORD_BYTES / 8);
  const endpoints = log.bytes.slice(endpointsIndex(at), endpointsIndex(at) + ENDPOINTS_BYTES);
  const entries = LOG_FIELDS.map((name, i) => [name, log.numbers[at + i] ?? 0] as const);
  const record = { ...(Object.fromEntries(entries) as Record<LogField, number>), endpoints };
  Atomics.add(log.cursors, TAIL, 1);
  return record;
}
