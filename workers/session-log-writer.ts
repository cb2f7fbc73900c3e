// The access log: one JSON line per ended session, read from the shards' rings and written without ever waiting. When the sink
// does not keep up, lines are dropped and counted; neither the data path nor the main thread stops for it.

import { createWriteStream, fstatSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { clockOffset, monotonicMs } from '../core/base/clock.ts';
import { errnoName } from '../core/base/errno.ts';
import {
  DESTINATION_AT,
  DESTINATION_PORT_AT,
  formatEndpoint,
  formatIp,
  portAt,
  SOURCE_PORT_AT,
} from '../core/base/ip.ts';
import { type SessionLog, type SessionRecord, takeRecord } from '../core/metrics/session-log.ts';
import { describeOutcome, outcomeCode } from '../core/session/outcome.ts';
import type { Logger } from './logger.ts';

/** Lines that wait for a slow sink, in bytes; what comes on top is dropped. */
const WAITING_BYTES_MAX = 4 << 20;
const POLL_INTERVAL_MS = 100;
const REPORT_INTERVAL_MS = 10_000;
/** records taken of one ring per poll, so that a flood cannot hold the main thread */
const RECORDS_PER_POLL = 4096;

/** Names for the rows that records carry. */
export interface RowNames {
  frontend(row: number): { label: string; port: number } | undefined;
  node(row: number): { label: string; address: string } | undefined;
}

export class SessionLogWriter {
  /** lines that the sink did not take in time */
  dropped = 0;

  readonly #path: string;
  readonly #logs: readonly SessionLog[];
  readonly #names: RowNames;
  readonly #logger: Logger;
  readonly #timer: NodeJS.Timeout;
  readonly #droppedByShards: () => number;
  #stream: Writable;
  #reported = 0;
  #wallClockOffsetMs = 0;
  #reportedMs = Number.NEGATIVE_INFINITY;

  /** @param path a file, or `-` for stdout @param droppedByShards records that found their ring full */
  constructor(
    path: string,
    logs: readonly SessionLog[],
    names: RowNames,
    logger: Logger,
    droppedByShards: () => number = () => 0,
  ) {
    this.#path = path;
    this.#logs = logs;
    this.#names = names;
    this.#logger = logger;
    this.#droppedByShards = droppedByShards;
    this.#stream = this.#open();
    this.#timer = setInterval(() => this.poll(), POLL_INTERVAL_MS);
    this.#timer.unref();
  }

  /** Takes what has ended since. */
  poll(): void {
    this.#takeAll();
    // At most one line per interval, however many are lost.
    if (performance.now() < this.#reportedMs + REPORT_INTERVAL_MS || !this.#reportDropped()) return;
    // A stream that failed stays dead; the disk may have room again, or the folder may be back.
    if (this.#stream.destroyed) this.#stream = this.#open();
  }

  #takeAll(): void {
    // Taken anew each time: the wall clock is set, and goes on while a suspended machine's monotonic clock stands.
    this.#wallClockOffsetMs = clockOffset(Date.now, monotonicMs);
    for (const [shard, log] of this.#logs.entries()) {
      for (let i = 0; i < RECORDS_PER_POLL; i++) {
        const record = takeRecord(log);
        if (record === undefined) break;
        if (this.#stream.destroyed || this.#stream.writableLength > WAITING_BYTES_MAX) this.dropped++;
        else this.#stream.write(`${JSON.stringify(this.#line(shard, record))}\n`, this.#noteWritten);
      }
    }
  }

  /** A sink that fails takes with it what waited for it. */
  readonly #noteWritten = (error: Error | null | undefined): void => {
    if (error) this.dropped++;
  };

  /** @returns whether any were dropped since the last time */
  #reportDropped(): boolean {
    const dropped = this.dropped + this.#droppedByShards();
    if (dropped === this.#reported) return false;
    this.#logger.warn(
      `access log ${this.#path}: ${dropped - this.#reported} lines were dropped, the sink is too slow or has failed`,
    );
    this.#reported = dropped;
    this.#reportedMs = performance.now();
    return true;
  }

  /** After the file was moved away: goes on in a new one of the same name. @returns false when there is no file */
  reopen(): boolean {
    if (this.#path === '-') return false;
    this.poll();
    this.#stream.end();
    this.#stream = this.#open();
    return true;
  }

  /** Writes the rest. @returns when it is written, or after a moment if the sink does not take it */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#takeAll();
    const { promise, resolve } = Promise.withResolvers<void>();
    const deadline = setTimeout(resolve, 500);
    this.#stream.end(resolve);
    await promise;
    clearTimeout(deadline);
    this.#reportDropped();
  }

  #open(): Writable {
    const stream = this.#path === '-' ? openStdout() : createWriteStream(this.#path, { flags: 'a', mode: 0o640 });
    stream.on('error', (error) => this.#logger.error(`access log ${this.#path}: ${error.message}`));
    return stream;
  }

  #line(shard: number, record: SessionRecord) {
    const frontend = this.#names.frontend(record.frontend - 1);
    const node = this.#names.node(record.node - 1);
    const outcome = outcomeCode(record.outcomeWho, record.outcomePhase);
    const errno = errnoName(record.backErrno) || errnoName(record.frontErrno);
    return {
      time: new Date(record.endedMs + this.#wallClockOffsetMs).toISOString(),
      connection: `${shard}-${record.connection}`,
      shard,
      nodebalancer: frontend?.label,
      port: frontend?.port,
      client: endpoint(record.endpoints, 0, SOURCE_PORT_AT),
      destination: endpoint(record.endpoints, DESTINATION_AT, DESTINATION_PORT_AT),
      node: node?.label,
      node_address: node?.address,
      attempts: record.attempts,
      connect_ms: record.connectedMs === 0 ? null : round(record.connectedMs - record.acceptedMs),
      first_byte_ms: record.firstByteMs === 0 ? null : round(record.firstByteMs - record.acceptedMs),
      total_ms: round(record.endedMs - record.acceptedMs),
      bytes_from_client: record.bytesFromFront,
      bytes_to_client: record.bytesToFront,
      bytes_from_node: record.bytesFromBack,
      bytes_to_node: record.bytesToBack,
      bytes_spliced: record.bytesSpliced,
      header_bytes: record.headerBytes,
      outcome,
      reason: describeOutcome(outcome),
      ...(errno === '' ? {} : { errno }),
    };
  }
}

/**
 * stdout without ever waiting for its reader. Not process.stdout: that one writes to a pipe synchronously, and a full pipe would stop
 * us; and not a file stream on a pipe, which gives up for good after a few EAGAIN.
 */
function openStdout(): Writable {
  const kind = fstatSync(1);
  if (kind.isFIFO() || kind.isSocket()) return new Socket({ fd: 1, readable: false, writable: true });
  return createWriteStream('', { fd: 1, autoClose: false });
}

function endpoint(bytes: Uint8Array, ipAt: number, portFrom: number): string {
  return formatEndpoint(formatIp(bytes, ipAt), portAt(bytes, portFrom));
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
