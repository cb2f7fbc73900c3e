// The access log: a line per ended session, read from the shards' rings and handed to a thread that writes them. When the sink does
// not keep up, lines are dropped and counted; neither the data path nor the main thread stops for it.

import { clockOffset, monotonicMs } from '../core/base/clock.ts';
import { type SessionLog, takeRecord } from '../core/metrics/session-log.ts';
import type { LineFault } from './lines/channel.ts';
import { LineWriter } from './lines/line-writer.ts';
import type { Logger } from './logger.ts';
import { type RowNames, sessionLine } from './session-line.ts';

/** Lines that wait for a slow sink, in characters; what comes on top is dropped. */
const WAITING_MAX = 4 << 20;
const POLL_INTERVAL_MS = 100;
const REPORT_INTERVAL_MS = 10_000;
/** records taken of one ring per poll, so that a flood cannot hold the main thread */
const RECORDS_PER_POLL = 4096;
/** at the end: time for a sink to take the rest */
const CLOSE_MS_MAX = 500;

const STDOUT = 1;

export class SessionLogWriter {
  readonly #path: string;
  readonly #logs: readonly SessionLog[];
  readonly #names: RowNames;
  readonly #logger: Logger;
  readonly #timer: NodeJS.Timeout;
  readonly #droppedByShards: () => number;
  readonly #writer: LineWriter;
  #reported = 0;
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
    this.#writer = new LineWriter({
      target: path === '-' ? { fd: STDOUT } : { path },
      name: 'access log',
      waitingMax: WAITING_MAX,
      onProblem: (problem) => logger.error(`access log ${path}: ${problem}`),
    });
    this.#timer = setInterval(() => this.poll(), POLL_INTERVAL_MS);
    this.#timer.unref();
  }

  /** Lines that were lost on their way to the sink. */
  get dropped(): number {
    return this.#writer.lost;
  }

  /** Takes what has ended since. */
  poll(): void {
    this.#takeAll();
    // At most one line per interval, however many are lost.
    if (performance.now() >= this.#reportedMs + REPORT_INTERVAL_MS) this.#reportDropped();
  }

  /** @returns how many records there were */
  #takeAll(): number {
    // Taken anew each time: the wall clock is set, and goes on while a suspended machine's monotonic clock stands.
    const wallClockOffsetMs = clockOffset(Date.now, monotonicMs);
    let records = 0;
    for (const [shard, log] of this.#logs.entries()) records += this.#take(shard, log, wallClockOffsetMs);
    return records;
  }

  #take(shard: number, log: SessionLog, wallClockOffsetMs: number): number {
    const { isFull } = this.#writer;
    let records = 0;
    let text = '';
    for (; records < RECORDS_PER_POLL; records++) {
      const record = takeRecord(log);
      if (record === undefined) break;
      if (!isFull) text += sessionLine(shard, record, this.#names, wallClockOffsetMs);
    }
    if (isFull) this.#writer.lose(records);
    else if (records > 0) this.#writer.write(text);
    return records;
  }

  #reportDropped(): void {
    const dropped = this.dropped + this.#droppedByShards();
    if (dropped === this.#reported) return;
    this.#logger.warn(
      `access log ${this.#path}: ${dropped - this.#reported} lines were dropped, the sink is too slow or has failed`,
    );
    this.#reported = dropped;
    this.#reportedMs = performance.now();
  }

  /** After the file was moved away: goes on in a new one of the same name. @returns false when there is no file */
  reopen(): boolean {
    if (this.#path === '-') return false;
    this.#takeAll();
    this.#writer.reopen();
    return true;
  }

  inject(fault: LineFault): void {
    this.#writer.inject(fault);
  }

  /** Writes the rest; shards have ended. @returns when it is written, or after a moment if the sink does not take it: that is said */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    while (this.#takeAll() > 0);
    await this.#writer.close(CLOSE_MS_MAX);
    this.#reportDropped();
  }
}
