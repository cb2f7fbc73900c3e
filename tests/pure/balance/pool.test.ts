import { describe, expect, test } from 'vitest';
import { computeEligible, type NodeCondition, type NodeMode, ON_TRIAL } from '../../../core/balance/pool.ts';

const MODES: readonly NodeMode[] = ['accept', 'reject', 'drain', 'backup'];
const CONDITIONS: readonly NodeCondition[] = ['up', 'down', 'out', 'trial'];

type Node = readonly [NodeMode, NodeCondition];
const EVERY_NODE: readonly Node[] = MODES.flatMap((mode) => CONDITIONS.map((condition): Node => [mode, condition]));

function poolOf(...nodes: Node[]): { eligible: number[]; pinnable: number[] } {
  const pool = { eligible: new Uint8Array(nodes.length).fill(0xaa), pinnable: new Uint8Array(nodes.length).fill(0xaa) };
  computeEligible(
    nodes.map(([mode]) => mode),
    nodes.map(([, condition]) => condition),
    pool,
  );
  return { eligible: [...pool.eligible], pinnable: [...pool.pinnable] };
}

function eligibleOf(...nodes: Node[]): number[] {
  return poolOf(...nodes).eligible;
}

describe('a node alone', () => {
  test.each<[NodeMode, NodeCondition, number, number]>([
    ['accept', 'up', 1, 1],
    ['accept', 'down', 0, 0],
    ['accept', 'out', 1, 1],
    ['accept', 'trial', 1, 1],
    ['reject', 'up', 0, 0],
    ['reject', 'out', 0, 0],
    ['drain', 'up', 0, 1],
    ['drain', 'down', 0, 0],
    ['backup', 'up', 1, 1],
    ['backup', 'down', 0, 0],
    ['backup', 'out', 1, 1],
  ])('%s and %s: eligible %d, pinnable %d', (mode, condition, eligible, pinnable) => {
    expect(poolOf([mode, condition])).toEqual({ eligible: [eligible], pinnable: [pinnable] });
  });
});

describe('backup nodes', () => {
  test('wait while one accepting node is up', () => {
    expect(eligibleOf(['backup', 'up'], ['accept', 'up'], ['accept', 'down'])).toEqual([0, 1, 0]);
  });

  test('serve, all of them that are up, when no accepting node can', () => {
    expect(eligibleOf(['backup', 'up'], ['accept', 'down'], ['backup', 'up'], ['backup', 'down'])).toEqual([
      1, 0, 1, 0,
    ]);
    expect(eligibleOf(['drain', 'up'], ['reject', 'up'], ['backup', 'up'])).toEqual([0, 0, 1]);
  });

  test('serve before ejected nodes are asked again', () => {
    expect(eligibleOf(['accept', 'out'], ['backup', 'up'])).toEqual([0, 1]);
  });

  test('keep no pinned client longer than they are needed', () => {
    expect(poolOf(['backup', 'up'], ['accept', 'up']).pinnable).toEqual([0, 1]);
    expect(poolOf(['backup', 'up'], ['accept', 'down']).pinnable).toEqual([1, 0]);
  });
});

describe('ejected nodes', () => {
  test('are out while another serves, and tried by one session when their time is up', () => {
    expect(eligibleOf(['accept', 'up'], ['accept', 'out'], ['accept', 'trial'])).toEqual([1, 0, ON_TRIAL]);
    expect(eligibleOf(['accept', 'trial'], ['backup', 'up'])).toEqual([ON_TRIAL, 1]);
  });

  test('a backup is tried only while backups serve', () => {
    expect(eligibleOf(['accept', 'up'], ['backup', 'trial'])).toEqual([1, 0]);
    expect(eligibleOf(['accept', 'down'], ['backup', 'up'], ['backup', 'trial'])).toEqual([0, 1, ON_TRIAL]);
  });

  test('all of them: none is', () => {
    expect(eligibleOf(['accept', 'out'], ['accept', 'trial'], ['accept', 'down'])).toEqual([1, 1, 0]);
  });

  test('have no pinned clients, unless all are ejected', () => {
    expect(poolOf(['accept', 'out'], ['accept', 'trial'], ['accept', 'up']).pinnable).toEqual([0, 0, 1]);
    expect(poolOf(['accept', 'out'], ['drain', 'out']).pinnable).toEqual([1, 1]);
  });
});

test('a pool without nodes has none eligible', () => {
  expect(poolOf()).toEqual({ eligible: [], pinnable: [] });
});

test('all 4,096 pools of three nodes', () => {
  for (const a of EVERY_NODE) {
    for (const b of EVERY_NODE) {
      for (const c of EVERY_NODE) {
        const pool = [a, b, c];
        const { eligible, pinnable } = poolOf(...pool);
        const can = (wanted: NodeMode, conditions: readonly NodeCondition[]) =>
          pool.some(([mode, condition]) => mode === wanted && conditions.includes(condition));
        const somebodyCan = (['accept', 'backup'] as const).some((mode) => can(mode, ['up', 'out', 'trial']));
        expect(eligible.includes(1), JSON.stringify(pool)).toBe(somebodyCan);
        for (const [index, [mode, condition]] of pool.entries()) {
          const place = `${JSON.stringify(pool)} ${index}`;
          if (condition === 'down' || mode === 'reject')
            expect([eligible[index], pinnable[index]], place).toEqual([0, 0]);
          if (mode === 'drain') expect(eligible[index], place).toBe(0);
          if (mode === 'backup' && can('accept', ['up'])) expect(eligible[index], place).toBe(0);
          if (condition === 'up' && mode === 'accept') expect(eligible[index], place).toBe(1);
          if (eligible[index] === 1) expect(pinnable[index], place).toBe(1);
          if (eligible[index] === ON_TRIAL) expect(condition, place).toBe('trial');
        }
      }
    }
  }
});
