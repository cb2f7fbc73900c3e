// The ring of ended sessions: in order, whole, dropped when full, and still right when its cursors pass 2^31 and 2^32.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ENDPOINTS_BYTES } from '../../../core/base/ip.ts';
import {
  beginRecord,
  commitRecord,
  createSessionLog,
  endpointsIndex,
  LOG_FIELDS,
  type SessionLog,
  sessionLogBytes,
  takeRecord,
} from '../../../core/metrics/session-log.ts';
import { holds } from '../../../testing/suite/property.ts';

const HEAD = 0;
const TAIL = 16;

function makeLog(records: number): SessionLog {
  return createSessionLog(new SharedArrayBuffer(sessionLogBytes(records)), records);
}

/** A record whose every number and byte tells its serial. @returns false when there is no room */
function write(log: SessionLog, serial: number): boolean {
  const record = beginRecord(log);
  if (record < 0) return false;
  for (let i = 0; i < LOG_FIELDS.length; i++) log.numbers[record + i] = serial + i / 100;
  const at = endpointsIndex(record);
  for (let i = 0; i < ENDPOINTS_BYTES; i++) log.bytes[at + i] = (serial + i) & 0xff;
  commitRecord(log);
  return true;
}

function expectRecord(log: SessionLog, serial: number): void {
  const record = takeRecord(log);
  expect(record).toBeDefined();
  if (record === undefined) return;
  const { endpoints, ...numbers } = record;
  expect(Object.entries(numbers)).toEqual(LOG_FIELDS.map((name, i) => [name, serial + i / 100]));
  expect([...endpoints]).toEqual(Array.from({ length: ENDPOINTS_BYTES }, (_, i) => (serial + i) & 0xff));
}

test('an empty ring gives nothing', () => {
  const log = makeLog(4);
  expect(takeRecord(log)).toBeUndefined();
  expect(log.cursors[TAIL]).toBe(0);
});

test('records come out whole and in order', () => {
  const log = makeLog(8);
  for (let serial = 1; serial <= 8; serial++) expect(write(log, serial)).toBe(true);
  for (let serial = 1; serial <= 8; serial++) expectRecord(log, serial);
  expect(takeRecord(log)).toBeUndefined();
});

test('a record that was begun and not committed is not there', () => {
  const log = makeLog(4);
  beginRecord(log);
  expect(takeRecord(log)).toBeUndefined();
  expect(beginRecord(log)).toBe(0);
});

test('a full ring takes nothing, and what is in it stays; one taken makes room for one', () => {
  const log = makeLog(2);
  expect([write(log, 1), write(log, 2), write(log, 3)]).toEqual([true, true, false]);
  expectRecord(log, 1);
  expect([write(log, 4), write(log, 5)]).toEqual([true, false]);
  expectRecord(log, 2);
  expectRecord(log, 4);
  expect(takeRecord(log)).toBeUndefined();
});

test('a taken record is a copy: the next round of the ring does not change it', () => {
  const log = makeLog(1);
  write(log, 1);
  const first = takeRecord(log);
  write(log, 99);
  expect([first?.connection, first?.endpoints[0]]).toEqual([1, 1]);
});

describe('cursors that run over', () => {
  test.for([
    ['2^31', 0x7fff_ffff],
    ['2^32', -1],
  ] as const)('past %s the ring goes on', ([, start]) => {
    const log = makeLog(4);
    log.cursors[HEAD] = start - 1;
    log.cursors[TAIL] = start - 1;
    for (let serial = 1; serial <= 4; serial++) expect(write(log, serial)).toBe(true);
    expect(write(log, 5)).toBe(false);
    for (let serial = 1; serial <= 4; serial++) expectRecord(log, serial);
    expect(takeRecord(log)).toBeUndefined();
  });
});

describe('layout', () => {
  test('a ring that is no power of two is refused: places would jump where the cursors wrap', () => {
    expect(() => makeLog(3)).toThrow('power of two');
  });

  test('a record holds its numbers and endpoints without touching its neighbours', () => {
    const log = makeLog(4);
    write(log, 1);
    write(log, 2);
    write(log, 3);
    for (const serial of [1, 2, 3]) expectRecord(log, serial);
    expect(log.numbers.byteLength).toBe(log.bytes.byteLength);
    expect(log.numbers.byteOffset + log.numbers.byteLength).toBe(sessionLogBytes(4));
  });

  test('the two cursors have a cache line each, and records follow', () => {
    const log = makeLog(1);
    expect(log.numbers.byteOffset).toBe(128);
    write(log, 1);
    expect([log.cursors[HEAD], log.cursors[TAIL]]).toEqual([1, 0]);
    takeRecord(log);
    expect([log.cursors[HEAD], log.cursors[TAIL]]).toEqual([1, 1]);
  });
});

test('any mix of writing and taking: a queue with a limit', () => {
  holds(
    fc.property(
      fc.constantFrom(1, 2, 4, 8),
      fc.constantFrom(0, 0x7fff_fff0, -16),
      fc.array(fc.boolean(), { maxLength: 80 }),
      (records, start, steps) => {
        const log = makeLog(records);
        log.cursors[HEAD] = start;
        log.cursors[TAIL] = start;
        const queue: number[] = [];
        let serial = 0;
        for (const writes of steps) {
          if (writes) {
            serial++;
            expect(write(log, serial)).toBe(queue.length < records);
            if (queue.length < records) queue.push(serial);
          } else {
            const expected = queue.shift();
            if (expected === undefined) expect(takeRecord(log)).toBeUndefined();
            else expectRecord(log, expected);
          }
        }
      },
    ),
  );
});
