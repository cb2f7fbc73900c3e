// Lines into a sink that may hang: a thread writes them, nobody waits for it, and what becomes of each line is known: written, lost,
// or still there. A FIFO is opened for both here, so that there is a reader who does not read until the test does.

import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from '../../../testing/process.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../../../testing/temporary.ts';
import type { Target } from '../../../workers/lines/channel.ts';
import { LineWriter } from '../../../workers/lines/line-writer.ts';

const WAITING_MAX = 1 << 20;
const LINE = `${'x'.repeat(999)}\n`;

let directory = '';
const closing: (() => unknown)[] = [];
beforeEach(() => {
  directory = makeTemporaryDirectory('lines');
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  removeTemporaryDirectory(directory);
});

function start(target: Target): { writer: LineWriter; problems: string[] } {
  const problems: string[] = [];
  const writer = new LineWriter({
    target,
    name: 'test',
    waitingMax: WAITING_MAX,
    onProblem: (text) => problems.push(text),
  });
  closing.push(() => writer.close(0));
  return { writer, problems };
}

/** @param flags besides those for both directions */
function makeFifo(flags = constants.O_NONBLOCK): { path: string; fd: number } {
  const path = join(directory, 'fifo');
  execFileSync('mkfifo', [path]);
  const fd = openSync(path, constants.O_RDWR | flags);
  closing.push(() => closeSync(fd));
  return { path, fd };
}

/** Everything that lies in a FIFO now. */
function take(fd: number): string {
  const buffer = Buffer.alloc(1 << 20);
  let text = '';
  for (;;) {
    try {
      text += buffer.toString('utf8', 0, readSync(fd, buffer));
    } catch {
      return text;
    }
  }
}

function wholeLines(text: string): number {
  return text
    .split('\n')
    .slice(0, -1)
    .filter((line) => `${line}\n` === LINE).length;
}

describe('a sink that takes nothing', () => {
  test('holds nobody: what fits waits, the rest is lost, and what waits is written when it takes again', async () => {
    const { path, fd } = makeFifo();
    const { writer } = start({ path });
    for (let i = 0; i < 3000; i++) writer.write(LINE);
    expect(writer.isFull).toBe(true);
    const { lost } = writer;
    // A pipe holds 64 KiB, and 1 MiB may wait.
    expect(lost).toBeGreaterThan(1500);
    expect(lost).toBeLessThan(2000);
    let read = '';
    await eventually('everything that was not lost', () => {
      read += take(fd);
      return wholeLines(read) === 3000 - lost;
    });
    expect(writer.isFull).toBe(false);
    expect(writer.lost).toBe(lost);
  });

  test('at the end is waited for a moment, and every line is written or lost', async () => {
    const { path, fd } = makeFifo();
    const { writer } = start({ path });
    for (let i = 0; i < 500; i++) writer.write(LINE);
    await writer.close(50);
    expect(wholeLines(take(fd)) + writer.lost).toBe(500);
    expect(writer.lost).toBeGreaterThan(400);
  });

  test('does not hold up a rotation: lines go on in the new file', async () => {
    const { path } = makeFifo();
    const { writer } = start({ path });
    for (let i = 0; i < 500; i++) writer.write(LINE);
    execFileSync('mv', [path, `${path}.1`]);
    writer.reopen();
    writer.write('after\n');
    await eventually('the line behind the rotation', () => readFileSync(path, 'utf8').endsWith('\nafter\n'));
  });

  test('whose write hangs, as of a disk that is gone: a flush and the end are waited for a moment, no longer', async () => {
    // Blocking: the thread stands in write(2).
    const { fd } = makeFifo(0);
    const { writer } = start({ fd });
    for (let i = 0; i < 100; i++) writer.write(LINE);
    writer.flush(20);
    await writer.close(20);
    const { lost } = writer;
    expect(lost).toBeGreaterThan(0);
    // It stands there until it is read, and the test's process would not end before. What it writes then was given up.
    const reader = openSync(join(directory, 'fifo'), constants.O_RDONLY | constants.O_NONBLOCK);
    closing.push(() => closeSync(reader));
    expect(wholeLines(take(reader))).toBeGreaterThanOrEqual(100 - lost);
  });
});

describe('a FIFO without a reader', () => {
  test('is no problem: lines wait for one, and none comes twice', async () => {
    const path = join(directory, 'fifo');
    execFileSync('mkfifo', [path]);
    const { writer, problems } = start({ path });
    for (let i = 0; i < 3; i++) {
      writer.write(LINE);
      writer.reopen();
    }
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    closing.push(() => closeSync(fd));
    let read = '';
    await eventually('three lines', () => {
      read += take(fd);
      return wholeLines(read) === 3;
    });
    expect([writer.lost, problems]).toEqual([0, []]);
  });
});

describe('the thread', () => {
  test('that dies is started again; what it had is lost, and counted', async () => {
    const path = join(directory, 'log');
    const { writer, problems } = start({ path });
    writer.write('before\n');
    await eventually('the line', () => readFileSync(path, 'utf8') === 'before\n');
    writer.inject('throw');
    writer.write('with it\n');
    await eventually('its death', () => problems.length === 1);
    expect(problems[0]).toMatch(/^the thread that writes it died \(fault injected: .*\); it starts again in 100 ms$/);
    expect(writer.lost).toBe(1);
    writer.write('between\n');
    expect(writer.lost).toBe(2);
    await eventually('its successor', () => !writer.isFull);
    writer.write('after\n');
    await writer.close(5000);
    expect([readFileSync(path, 'utf8'), writer.lost]).toEqual(['before\nafter\n', 2]);
  });

  test('is waited for while it starts: the last words of a short process are written', () => {
    const path = join(directory, 'log');
    const { writer } = start({ path });
    writer.write('last words\n');
    writer.flush(5000);
    expect(readFileSync(path, 'utf8')).toBe('last words\n');
  });
});
