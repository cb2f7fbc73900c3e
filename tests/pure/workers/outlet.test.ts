// A sink for lines, against files that misbehave: what is written, what waits, what is lost, and that a line is whole or not there.

import { describe, expect, test } from 'vitest';
import { type Files, Outlet } from '../../../workers/lines/outlet.ts';

type Failure = 'EAGAIN' | 'EPIPE' | 'ENOSPC' | 'ENXIO' | 'ENOENT' | 'EIO';

/** One file or FIFO whose next calls fail as the test says. */
class FakeFiles implements Files {
  text = '';
  /** what files of this name had before they were moved away */
  readonly moved: string[] = [];
  openFailure: Failure | undefined;
  writeFailure: Failure | undefined;
  isPipe = false;
  /** bytes that are taken until `writeFailure` comes */
  room = Number.POSITIVE_INFINITY;
  opens = 0;
  openNow = 0;

  open(): number {
    if (this.openFailure !== undefined) throw failure(this.openFailure);
    this.opens++;
    this.openNow++;
    return 7;
  }

  isFifo(): boolean {
    return this.isPipe;
  }

  write(_fd: number, bytes: Uint8Array, at: number): number {
    const taken = Math.min(this.room, bytes.length - at);
    if (taken === 0) throw failure(this.writeFailure ?? 'EAGAIN');
    this.room -= taken;
    this.text += Buffer.from(bytes.subarray(at, at + taken)).toString();
    return taken;
  }

  close(): void {
    this.openNow--;
  }

  moveAway(): void {
    this.moved.push(this.text);
    this.text = '';
  }
}

function failure(code: Failure): Error {
  return Object.assign(new Error(`${code}: it failed`), { code });
}

function make(target: { path: string } | { fd: number } = { path: '/log' }) {
  const files = new FakeFiles();
  const problems: string[] = [];
  const clock = { nowMs: 0 };
  const outlet = new Outlet({ target, files, nowMs: () => clock.nowMs, onProblem: (text) => problems.push(text) });
  return { clock, files, outlet, problems };
}

test('lines are written in their order, and counted', () => {
  const { files, outlet } = make();
  outlet.add('one\ntwo\n');
  outlet.add('drei\u00df\n');
  expect(outlet.pump()).toBe('done');
  expect(files.text).toBe('one\ntwo\ndrei\u00df\n');
  expect([outlet.written, outlet.lost, outlet.done]).toEqual([3, 0, 14]);
});

describe('a sink that takes nothing now', () => {
  test('gets the rest later, from where it stopped', () => {
    const { files, outlet } = make();
    files.room = 5;
    outlet.add('one\ntwo\nthree\n');
    expect(outlet.pump()).toBe('full');
    expect([files.text, outlet.written, outlet.done]).toEqual(['one\nt', 1, 0]);
    files.room = Number.POSITIVE_INFINITY;
    expect(outlet.pump()).toBe('done');
    expect([files.text, outlet.written, outlet.lost, outlet.done]).toEqual(['one\ntwo\nthree\n', 3, 0, 14]);
  });

  test('and is left for another file: that begins with a whole line, and the one that was cut is lost', () => {
    const { files, outlet } = make();
    files.room = 5;
    outlet.add('one\ntwo\nthree\n');
    outlet.add('four\n');
    outlet.pump();
    files.moveAway();
    files.room = Number.POSITIVE_INFINITY;
    outlet.reopen();
    outlet.pump();
    expect([files.moved, files.text]).toEqual([['one\nt'], 'three\nfour\n']);
    expect([outlet.written, outlet.lost, outlet.done]).toEqual([3, 1, 19]);
    expect([files.opens, files.openNow]).toEqual([2, 1]);
  });
});

describe('a FIFO', () => {
  test('without a reader keeps lines until there is one, and says nothing', () => {
    const { files, outlet, problems } = make();
    files.isPipe = true;
    files.openFailure = 'ENXIO';
    expect(outlet.pump()).toBe('no reader');
    outlet.add('one\n');
    expect(outlet.pump()).toBe('no reader');
    files.openFailure = undefined;
    expect(outlet.pump()).toBe('done');
    expect([files.text, outlet.lost, problems]).toEqual(['one\n', 0, []]);
  });

  test('whose reader goes away in the middle of a line: the next reader gets whole lines', () => {
    const { files, outlet } = make();
    files.isPipe = true;
    files.room = 5;
    files.writeFailure = 'EPIPE';
    outlet.add('one\ntwo\nthree\n');
    expect(outlet.pump()).toBe('no reader');
    expect(files.openNow).toBe(0);
    files.text = '';
    files.room = Number.POSITIVE_INFINITY;
    expect(outlet.pump()).toBe('done');
    expect([files.text, outlet.written, outlet.lost]).toEqual(['three\n', 2, 1]);
  });

  test('that is none, but a socket, is a failure', () => {
    const { files, outlet, problems } = make();
    files.openFailure = 'ENXIO';
    outlet.add('one\n');
    expect(outlet.pump()).toBe('done');
    expect([outlet.lost, problems]).toEqual([1, ['ENXIO: it failed']]);
  });
});

describe('a failure', () => {
  test('loses what waits, is told, and is tried again after a second', () => {
    const { clock, files, outlet, problems } = make();
    files.openFailure = 'ENOENT';
    outlet.add('one\ntwo\n');
    expect(outlet.pump()).toBe('done');
    expect([outlet.lost, outlet.done, problems]).toEqual([2, 8, ['ENOENT: it failed']]);
    files.openFailure = undefined;
    clock.nowMs = 999;
    outlet.add('three\n');
    outlet.pump();
    expect([outlet.lost, files.opens]).toEqual([3, 0]);
    clock.nowMs = 1000;
    outlet.add('four\n');
    outlet.pump();
    expect([files.text, outlet.written, outlet.lost]).toEqual(['four\n', 1, 3]);
  });

  test('in the middle of a line leaves half of it, and the next one begins on a line of its own', () => {
    const { clock, files, outlet } = make();
    files.room = 6;
    files.writeFailure = 'ENOSPC';
    outlet.add('one\ntwo\nthree\n');
    outlet.pump();
    expect([outlet.written, outlet.lost]).toEqual([1, 2]);
    clock.nowMs = 5000;
    outlet.add('four\n');
    outlet.pump();
    // Still full: what was cut is not forgotten.
    expect([outlet.written, outlet.lost]).toEqual([1, 3]);
    files.room = Number.POSITIVE_INFINITY;
    clock.nowMs = 10_000;
    outlet.add('five\n');
    outlet.pump();
    expect([files.text, outlet.written, outlet.lost]).toEqual(['one\ntw\nfive\n', 2, 3]);
  });

  test('that stays the same is told every ten seconds, another one at once', () => {
    const { clock, files, outlet, problems } = make();
    files.openFailure = 'ENOENT';
    for (clock.nowMs = 0; clock.nowMs < 21_000; clock.nowMs += 1000) {
      if (clock.nowMs === 12_000) files.openFailure = 'EIO';
      outlet.add('line\n');
      outlet.pump();
    }
    expect(problems).toEqual(['ENOENT: it failed', 'ENOENT: it failed', 'EIO: it failed']);
    expect(outlet.lost).toBe(21);
  });

  test('is over at once when the file is opened anew', () => {
    const { files, outlet } = make();
    files.openFailure = 'ENOENT';
    outlet.pump();
    files.openFailure = undefined;
    outlet.reopen();
    outlet.add('one\n');
    outlet.pump();
    expect(files.text).toBe('one\n');
  });
});

test('a descriptor is neither opened nor closed, whatever happens', () => {
  const { files, outlet } = make({ fd: 1 });
  outlet.reopen();
  files.room = 2;
  files.writeFailure = 'EPIPE';
  outlet.add('one\ntwo\n');
  expect(outlet.pump()).toBe('done');
  expect([outlet.written, outlet.lost, files.opens, files.openNow]).toEqual([0, 2, 0, 0]);
});
