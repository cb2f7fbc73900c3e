// The micro benchmark: every operation gives a figure, an operation that does its work wrong gives none, and another revision's tree
// may lack what this one has. What the operations are judged by is tested too.

import { cpSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { OPERATIONS, type Operation } from '../../../bench/micro/catalogue.ts';
import { crc32c } from '../../../bench/micro/inputs.ts';
import { timeOperation } from '../../../bench/micro/measure.ts';
import { balancer } from '../../../bench/peers/balancer.ts';
import { haproxy } from '../../../bench/peers/haproxy.ts';
import { micro, runMicro } from '../../../bench/scenarios/micro.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../../../testing/temporary.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const SECONDS = 0.05;
const IDS = OPERATIONS.map(({ id }) => id);

test('every operation of this tree has a figure', async () => {
  const { figures, missing } = await runMicro(ROOT, SECONDS);
  expect(missing).toEqual([]);
  expect(Object.keys(figures)).toEqual(IDS);
  for (const [id, ns] of Object.entries(figures)) {
    expect(ns, id).toBeGreaterThan(0);
    expect(ns, id).toBeLessThan(Number.POSITIVE_INFINITY);
  }
});

test('only a contender that is a tree of this project takes part', () => {
  expect(micro.leavesOut?.(balancer)).toBeUndefined();
  expect(micro.leavesOut?.(haproxy)).toMatch(/no core/);
});

describe('another tree', () => {
  const trees: string[] = [];

  /** A tree with a copy of the core. */
  function copyTree(): string {
    const root = makeTemporaryDirectory('bench-micro');
    trees.push(root);
    cpSync(join(ROOT, 'core'), join(root, 'core'), { recursive: true });
    writeFileSync(join(root, 'package.json'), '{ "type": "module" }\n');
    return root;
  }

  afterEach(() => {
    for (const root of trees.splice(0)) removeTemporaryDirectory(root);
  });

  test('lacks a part: its operations have no figures, the others have', async () => {
    const root = copyTree();
    rmSync(join(root, 'core/metrics/histogram.ts'));
    writeFileSync(join(root, 'core/base/timer-wheel.ts'), 'export const TIMER_TICK_MS = 16;\n');
    const { figures, missing } = await runMicro(root, SECONDS);
    expect(missing).toEqual([
      'core/base/timer-wheel.ts has no createTimerWheel',
      'core/metrics/histogram.ts is missing',
    ]);
    const without = ['timerArm', 'timerAdvance', 'histogramRecord'];
    expect(Object.keys(figures)).toEqual(IDS.filter((id) => !without.includes(id)));
  });

  test('encodes garbage: it has no figures at all, and the message says which operation', async () => {
    const root = copyTree();
    const folder = join(root, 'core/proxy-protocol');
    renameSync(join(folder, 'template.ts'), join(folder, 'right.ts'));
    writeFileSync(
      join(folder, 'template.ts'),
      `import { createHeaderTemplate as create } from './right.ts';
export function createHeaderTemplate(mode, options) {
  const template = create(mode, options);
  return { ...template, write(out, at, block, blockAt) {
    const length = template.write(out, at, block, blockAt);
    if (mode === 'v2') out[at + length - 1] ^= 1;
    return length;
  } };
}
`,
    );
    const failure = await runMicro(root, SECONDS).catch((error: unknown) => String(error));
    expect(failure).toContain('encodeV2Ipv4 gives a wrong result');
    expect(failure).toContain('header 0: 0d0a0d0a000d0a515549540a2111000c');
    expect(failure).not.toMatch(/^\s+at /m);
  });
});

test('the checksum that headers are judged by is CRC32C', () => {
  // RFC 3720, appendix B.4, and the usual check value.
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283);
});

describe('timing', () => {
  /** An operation that takes `ns` each on a clock that only it moves. Every so many batches one is disturbed. */
  function fakeOperation(ns: number, disturbedEvery = Number.POSITIVE_INFINITY) {
    let nowMs = 0;
    const counts: number[] = [];
    const operation: Operation = {
      check() {},
      batch(count) {
        counts.push(count);
        nowMs += (count * ns) / 1e6 + (counts.length % disturbedEvery === 0 ? 50 : 0);
        return count;
      },
    };
    return { operation, counts, clockMs: () => nowMs };
  }

  test('is the median batch, whatever disturbs some of them', () => {
    const { operation, clockMs } = fakeOperation(25, 10);
    expect(timeOperation(operation, 1000, clockMs).ns).toBeCloseTo(25, 6);
  });

  test('uses batches of at least a millisecond, and several of them even when there is no time', () => {
    const { operation, counts, clockMs } = fakeOperation(10);
    const { batches } = timeOperation(operation, 0, clockMs);
    expect(batches).toBeGreaterThanOrEqual(5);
    for (const count of counts.slice(-batches)) expect(count * 10).toBeGreaterThanOrEqual(1e6);
  });

  test('takes in what every batch gives', () => {
    const { operation, counts, clockMs } = fakeOperation(1000);
    const { consumed } = timeOperation(operation, 10, clockMs);
    expect(consumed).toBe(counts.reduce((sum, count) => sum + count, 0));
  });
});
