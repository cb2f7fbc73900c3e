// The access log: a line per ended session, whole and in order, in a file that may be moved away meanwhile; and a sink that does not
// keep up costs lines, never a wait.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, renameSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ENDPOINTS_BYTES } from '../../../core/base/ip.ts';
import {
  beginRecord,
  commitRecord,
  createSessionLog,
  endpointsIndex,
  LOG_FIELDS,
  type LogField,
  type SessionLog,
  sessionLogBytes,
} from '../../../core/metrics/session-log.ts';
import { ipOf } from '../../../testing/loopback.ts';
import { eventually } from '../../../testing/process.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../../../testing/temporary.ts';
import { SessionLogWriter } from '../../../workers/session-log-writer.ts';
import { makeNotebook } from '../../pure/workers/notebook.ts';

/** Two clocks are read one after the other, and times are rounded. */
const CLOCKS_MS = 5;

const NAMES = {
  frontend: (row: number) => (row === 4 ? { label: 'web', port: 443 } : undefined),
  node: (row: number) => (row === 6 ? { label: 'web-1', address: 'one.example:80' } : undefined),
};

let directory = '';
let writer: SessionLogWriter | undefined;
beforeEach(() => {
  directory = makeTemporaryDirectory('access-log');
});
afterEach(async () => {
  await writer?.close();
  writer = undefined;
  removeTemporaryDirectory(directory);
});

function makeRing(records: number): SessionLog {
  return createSessionLog(new SharedArrayBuffer(sessionLogBytes(records)), records);
}

function put(log: SessionLog, record: Partial<Record<LogField, number>>): void {
  const at = beginRecord(log);
  expect(at).toBeGreaterThanOrEqual(0);
  for (const [i, name] of LOG_FIELDS.entries()) log.numbers[at + i] = record[name] ?? 0;
  const endpoints = log.bytes.subarray(endpointsIndex(at), endpointsIndex(at) + ENDPOINTS_BYTES);
  endpoints.set(ipOf('192.0.2.7'), 0);
  endpoints.set(ipOf('2001:db8::1'), 16);
  endpoints.set([0x9c, 0x40, 0x01, 0xbb], 32);
  commitRecord(log);
}

function start(path: string, ...logs: SessionLog[]): { writer: SessionLogWriter; lines: string[] } {
  const { lines, ...logger } = makeNotebook();
  writer = new SessionLogWriter(path, logs, NAMES, logger);
  return { writer, lines };
}

function entries(path: string): Record<string, unknown>[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

describe('a line', () => {
  test('tells a session in words, milliseconds and bytes', async () => {
    const log = makeRing(4);
    const endedAt = Date.now();
    const endedMs = Number(process.hrtime.bigint()) / 1e6;
    const times = { acceptedMs: endedMs - 30.5, connectedMs: endedMs - 30, firstByteMs: endedMs - 10.25, endedMs };
    const bytes = {
      bytesFromFront: 1,
      bytesToFront: 2,
      bytesFromBack: 3,
      bytesToBack: 4,
      bytesSpliced: 5,
      headerBytes: 6,
    };
    const outcome = { outcomeWho: 'S'.charCodeAt(0), outcomePhase: 'D'.charCodeAt(0), frontErrno: 32, backErrno: 104 };
    put(log, { connection: 77, frontend: 5, node: 7, attempts: 2, ...times, ...bytes, ...outcome });
    const path = join(directory, 'log');
    await start(path, makeRing(1), log).writer.close();
    const [{ time, ...line } = {}] = entries(path);
    expect(line).toEqual({
      connection: '1-77',
      shard: 1,
      nodebalancer: 'web',
      port: 443,
      client: '192.0.2.7:40000',
      destination: '[2001:db8::1]:443',
      node: 'web-1',
      node_address: 'one.example:80',
      attempts: 2,
      connect_ms: 0.5,
      first_byte_ms: 20.25,
      total_ms: 30.5,
      bytes_from_client: 1,
      bytes_to_client: 2,
      bytes_from_node: 3,
      bytes_to_node: 4,
      bytes_spliced: 5,
      header_bytes: 6,
      outcome: 'SD',
      reason: 'the node aborted or could not be used, while data was being relayed',
      errno: 'ECONNRESET',
    });
    expect(Date.parse(String(time))).toBeGreaterThanOrEqual(endedAt - CLOCKS_MS);
    expect(Date.parse(String(time))).toBeLessThanOrEqual(Date.now() + CLOCKS_MS);
  });

  test('of a session that never had a node leaves out what there was not', async () => {
    const log = makeRing(4);
    put(log, { connection: 1, frontend: 5, acceptedMs: 10, endedMs: 12 });
    const path = join(directory, 'log');
    await start(path, log).writer.close();
    const [line = {}] = entries(path);
    expect(line).toMatchObject({ outcome: '--', connect_ms: null, first_byte_ms: null, total_ms: 2, port: 443 });
    expect(Object.keys(line).filter((name) => /^(node|node_address|errno)$/.test(name))).toEqual([]);
  });
});

describe('the file', () => {
  test('has every line once, in the order of each shard, without anybody asking', async () => {
    const rings = [makeRing(64), makeRing(64)] as const;
    const path = join(directory, 'log');
    start(path, ...rings);
    for (let i = 1; i <= 50; i++) for (const ring of rings) put(ring, { connection: i });
    await eventually('100 lines', () => entries(path).length === 100);
    for (const shard of [0, 1]) {
      const own = entries(path).filter((line) => line.shard === shard);
      expect(own.map(({ connection }) => connection)).toEqual(own.map((_, i) => `${shard}-${i + 1}`));
    }
  });

  test('is continued, not overwritten, and not for everybody to read', async () => {
    const path = join(directory, 'log');
    for (const connection of [1, 2]) {
      const log = makeRing(1);
      put(log, { connection });
      await start(path, log).writer.close();
    }
    expect(entries(path).map(({ connection }) => connection)).toEqual(['0-1', '0-2']);
    expect(statSync(path).mode & 0o007).toBe(0);
  });

  test('that was moved away gets what had ended before, the new one what came after', async () => {
    const log = makeRing(8);
    const [path, moved] = [join(directory, 'log'), join(directory, 'log.1')];
    const { writer: own } = start(path, log);
    await eventually('the file', () => existsSync(path));
    renameSync(path, moved);
    put(log, { connection: 1 });
    own.reopen();
    put(log, { connection: 2 });
    await own.close();
    expect(entries(moved).map(({ connection }) => connection)).toEqual(['0-1']);
    expect(entries(path).map(({ connection }) => connection)).toEqual(['0-2']);
  });

  test('that cannot be opened is an error in the log, and the process lives', async () => {
    const path = join(directory, 'missing', 'log');
    const { lines } = start(path, makeRing(1));
    await eventually('the error', () => lines.length > 0);
    expect(lines).toEqual([expect.stringMatching(/^error: access log .*missing.*ENOENT/)]);
  });

  //
  test('that cannot be written costs lines, and they are counted', async () => {
    const log = makeRing(4);
    const { writer: own, lines } = start(join(directory, 'missing', 'log'), log);
    await eventually('the error', () => lines.length > 0);
    put(log, { connection: 1 });
    own.poll();
    await eventually('the line to be counted', () => own.dropped === 1);
  });
});

test('lines that a failing sink takes with it are counted, and told at the end at the latest', async () => {
  const log = makeRing(128);
  const { lines, writer: own } = start('/dev/full', log);
  for (let connection = 1; connection <= 100; connection++) put(log, { connection });
  own.poll();
  await eventually('the sink has failed', () => own.dropped === 100);
  await own.close();
  expect(lines.filter((line) => line.includes('were dropped'))).toEqual([
    'warn: access log /dev/full: 100 lines were dropped, the sink is too slow or has failed',
  ]);
});

test('a sink that takes nothing: lines wait up to a limit, more are dropped and counted, and nothing waits', async () => {
  const path = join(directory, 'pipe');
  expect(spawnSync('mkfifo', [path]).status).toBe(0);
  // Open for both: the writer's open succeeds, and nobody reads.
  const reader = await open(path, 'r+');
  const records = 1024;
  const log = makeRing(records);
  const { writer: own } = start(path, log);
  let written = 0;
  while (own.dropped === 0 && written < 100 * records) {
    for (let i = 0; i < records; i++) put(log, { connection: ++written });
    own.poll();
  }
  expect(own.dropped).toBeGreaterThan(0);
  expect(own.dropped).toBeLessThan(written);
  // More than a pipe holds was kept for the sink, and nobody has read a byte when the writer gives up.
  expect(written - own.dropped).toBeGreaterThan(1000);
  await own.close();
  // Without a reader the write that hangs in the thread pool fails, and ends.
  await reader.close();
});
