import { describe, expect, test } from 'vitest';
import { computeEligible, type NodeHealth, type NodeMode } from '../../../core/balance/pool.ts';

const MODES: readonly NodeMode[] = ['accept', 'reject', 'drain', 'backup'];
const HEALTHS: readonly NodeHealth[] = ['unknown', 'up', 'down'];

type Node = readonly [NodeMode, NodeHealth];
const EVERY_NODE: readonly Node[] = MODES.flatMap((mode) => HEALTHS.map((health): Node => [mode, health]));

function eligibleOf(...nodes: Node[]): number[] {
  const out = new Uint8Array(nodes.length).fill(0xaa);
  const count = computeEligible(
    nodes.map(([mode]) => mode),
    nodes.map(([, health]) => health),
    out,
  );
  expect(count).toBe(out.filter((byte) => byte === 1).length);
  return [...out];
}

describe('a node alone', () => {
  test.each<[NodeMode, NodeHealth, number]>([
    ['accept', 'unknown', 1],
    ['accept', 'up', 1],
    ['accept', 'down', 0],
    ['reject', 'unknown', 0],
    ['reject', 'up', 0],
    ['reject', 'down', 0],
    ['drain', 'unknown', 0],
    ['drain', 'up', 0],
    ['drain', 'down', 0],
    ['backup', 'unknown', 1],
    ['backup', 'up', 1],
    ['backup', 'down', 0],
  ])('%s and %s: %d', (mode, health, expected) => {
    expect(eligibleOf([mode, health])).toEqual([expected]);
  });
});

describe('backup nodes', () => {
  test('wait while one accepting node is not down', () => {
    expect(eligibleOf(['backup', 'up'], ['accept', 'up'], ['accept', 'down'])).toEqual([0, 1, 0]);
    expect(eligibleOf(['backup', 'up'], ['accept', 'unknown'])).toEqual([0, 1]);
  });

  test('serve, all of them that are up, when no accepting node can', () => {
    const nodes: Node[] = [
      ['backup', 'up'],
      ['accept', 'down'],
      ['backup', 'unknown'],
      ['backup', 'down'],
    ];
    expect(eligibleOf(...nodes)).toEqual([1, 0, 1, 0]);
    expect(eligibleOf(['drain', 'up'], ['reject', 'up'], ['backup', 'up'])).toEqual([0, 0, 1]);
  });
});

test('a pool without nodes has none eligible', () => {
  expect(eligibleOf()).toEqual([]);
});

test('all 1,728 pools of three nodes', () => {
  for (const a of EVERY_NODE) {
    for (const b of EVERY_NODE) {
      for (const c of EVERY_NODE) {
        const pool = [a, b, c];
        const serves = (wanted: NodeMode): number[] =>
          pool.map(([mode, health]) => (mode === wanted && health !== 'down' ? 1 : 0));
        const expected = serves('accept').includes(1) ? serves('accept') : serves('backup');
        expect(eligibleOf(...pool)).toEqual(expected);
      }
    }
  }
});
