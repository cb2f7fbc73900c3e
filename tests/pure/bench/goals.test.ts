// What a run says about the project's goals: judged by the interval, worst metric first.

import { describe, expect, test } from 'vitest';
import { formatJudgement, GOALS, type Goal, judge, judgeGoals, summariseGoals } from '../../../bench/goals.ts';
import type { Comparison } from '../../../bench/merge.ts';
import { sampleReport } from './sample-report.ts';

const AT_MOST: Goal = { id: 'g', title: 'g', short: 'g', bound: 'at most', limit: 0.95, sources: [] };
const AT_LEAST: Goal = { ...AT_MOST, bound: 'at least', limit: 1 };
const between = (low: number, high: number): Comparison => ({
  bestPeer: 'peer',
  ratio: (low + high) / 2,
  low,
  high,
  verdict: 'no conclusion',
});

test.each([
  [AT_MOST, 0.8, 0.95, 'met'],
  [AT_MOST, 0.8, 0.96, 'undecided'],
  [AT_MOST, 0.96, 1.2, 'missed'],
  [AT_LEAST, 1, 1.2, 'met'],
  [AT_LEAST, 0.99, 1.2, 'undecided'],
  [AT_LEAST, 0.8, 0.99, 'missed'],
] as const)('$bound $limit with %f..%f', (goal, low, high, judgement) => {
  expect(judge(goal, between(low, high))).toBe(judgement);
});

test('without an interval nothing is met or missed', () => {
  expect(judge(AT_MOST, { bestPeer: 'peer', ratio: 0.1, verdict: 'no conclusion' })).toBe('undecided');
});

describe('a whole run', () => {
  const report = sampleReport();

  test('has every metric that a goal speaks of, each as a result of its own', () => {
    const ids = (goal: string) =>
      judgeGoals(report).flatMap((it) => (it.goal.id === goal ? [`${it.scenario} ${it.metric.metric.id}`] : []));
    expect(ids('bulkOwn')).toEqual(
      ['down1Own', 'down8Own', 'up1Own', 'up8Own', 'both1Own', 'both8Own'].map((id) => `bulk ${id}`),
    );
    expect(ids('p99')).toEqual([
      'new p99Us',
      'keepalive p99Us',
      'open requestsP99Us',
      'open connectionsP99Us',
      'churn p99Us',
    ]);
    expect(ids('memory')).toEqual(['idle growthBytes']);
  });

  test('is summed up per goal by the worst: one missed metric makes it missed, whatever the others say', () => {
    const p99 = summariseGoals(report).find(({ goal }) => goal.id === 'p99');
    expect(p99?.results.map(({ judgement }) => judgement)).toContain('undecided');
    expect(p99?.judgement).toBe('missed');
    expect(p99?.worst?.judgement).toBe('missed');
  });

  test('that measured nothing still lists every goal, without a judgement', () => {
    const summaries = summariseGoals({ scenarios: [] });
    expect(summaries).toEqual(GOALS.map((goal) => ({ goal, results: [] })));
  });
});

test('what is undecided says on which side its median is', () => {
  const [result] = judgeGoals(sampleReport());
  expect(result?.judgement).toBe('undecided');
  if (result !== undefined) expect(formatJudgement(result)).toBe('undecided (median meets it)');
});
