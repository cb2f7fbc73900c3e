// The layout of the counters: who writes a row shares no cache line with who writes another, no cell is two counters, and the
// rows of all kinds fill exactly the memory that was asked for.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  add,
  countersBytes,
  createCounters,
  FRONTEND,
  FRONTEND_COUNTERS,
  FRONTEND_STRIDE,
  NODE,
  NODE_COUNTERS,
  NODE_STRIDE,
  SHARD,
  SHARD_COUNTERS,
  SHARD_STRIDE,
  sumCell,
} from '../../../core/metrics/counters.ts';
import { holds } from '../../../testing/suite/property.ts';

const CACHE_LINE_BYTES = 64;

const KINDS = [
  ['shard', SHARD_COUNTERS, SHARD, SHARD_STRIDE],
  ['frontend', FRONTEND_COUNTERS, FRONTEND, FRONTEND_STRIDE],
  ['node', NODE_COUNTERS, NODE, NODE_STRIDE],
] as const;

describe.for(KINDS)('a row of a %s', ([, names, columns, stride]) => {
  test('has a column of its own for each name, in their order', () => {
    expect(Object.keys(columns)).toEqual([...names]);
    expect(Object.values(columns)).toEqual(names.map((_, i) => i));
    expect(new Set(names).size).toBe(names.length);
  });

  test('holds all columns and fills whole cache lines, no more than it needs', () => {
    expect(stride).toBeGreaterThanOrEqual(names.length);
    expect((stride * 8) % CACHE_LINE_BYTES).toBe(0);
    expect(stride * 8 - names.length * 8).toBeLessThan(CACHE_LINE_BYTES);
  });
});

describe('the arrays', () => {
  test('lie side by side without overlap, each at a cache line, and use all of the memory', () => {
    const size = fc.integer({ min: 0, max: 40 });
    holds(
      fc.property(size, size, (frontends, nodes) => {
        const memory = new SharedArrayBuffer(countersBytes(frontends, nodes));
        const counters = createCounters(memory, frontends, nodes);
        const parts = [counters.shard, counters.frontends, counters.nodes, counters.nodesActive];
        expect(parts.map(({ length }) => length)).toEqual([
          SHARD_STRIDE,
          frontends * FRONTEND_STRIDE,
          nodes * NODE_STRIDE,
          nodes,
        ]);
        let end = 0;
        for (const part of parts) {
          expect(part.byteOffset).toBe(end);
          expect(part.byteOffset % CACHE_LINE_BYTES).toBe(0);
          end += part.byteLength;
        }
        expect(memory.byteLength).toBe(end);
      }),
    );
  });

  test('every cell of every row is a cell of its own', () => {
    const [frontends, nodes] = [3, 5];
    const counters = createCounters(new SharedArrayBuffer(countersBytes(frontends, nodes)), frontends, nodes);
    let mark = 0;
    const marks: [Float64Array, number, number][] = [];
    const set = (cells: Float64Array, cell: number) => {
      cells[cell] = ++mark;
      marks.push([cells, cell, mark]);
    };
    for (const column of Object.values(SHARD)) set(counters.shard, column);
    for (let row = 0; row < frontends; row++) {
      for (const column of Object.values(FRONTEND)) set(counters.frontends, row * FRONTEND_STRIDE + column);
    }
    for (let row = 0; row < nodes; row++) {
      for (const column of Object.values(NODE)) set(counters.nodes, row * NODE_STRIDE + column);
    }
    for (const [cells, cell, expected] of marks) expect(cells[cell]).toBe(expected);
  });

  test('a second view of the memory sees the same cells', () => {
    const memory = new SharedArrayBuffer(countersBytes(2, 2));
    const writer = createCounters(memory, 2, 2);
    const reader = createCounters(memory, 2, 2);
    add(writer.nodes, NODE_STRIDE + NODE.bytesOut, 5);
    add(writer.nodes, NODE_STRIDE + NODE.bytesOut, 2 ** 53 - 6);
    expect(reader.nodes[NODE_STRIDE + NODE.bytesOut]).toBe(2 ** 53 - 1);
    expect(reader.nodes.filter((cell) => cell !== 0)).toHaveLength(1);
  });
});

test('a sum goes over all shards, and one cell of each', () => {
  const shards = [1, 20, 300].map((value) => {
    const { frontends } = createCounters(new SharedArrayBuffer(countersBytes(2, 0)), 2, 0);
    frontends[FRONTEND_STRIDE + FRONTEND.active] = value;
    frontends[FRONTEND.active] = 7;
    return frontends;
  });
  expect(sumCell(shards, FRONTEND_STRIDE + FRONTEND.active)).toBe(321);
  expect(sumCell([], 0)).toBe(0);
});
