// What the project wants of its figures, and what a run says about it: the one table from goals to metrics. Values in, values
// out. A goal is judged with the interval, not with the median alone: where the limit lies inside it, nothing is decided.

import type { Comparison, MergedMetric } from './merge.ts';

export interface Goal {
  id: string;
  title: string;
  /** For columns. */
  short: string;
  /** The ratio to the best peer has to be at most, or at least, `limit`. */
  bound: 'at most' | 'at least';
  limit: number;
  /** Where its metrics are: every one of them is a row of its own, and the goal is met when all are. */
  sources: readonly { scenario: string; metrics: RegExp }[];
  /** Metrics to be seen beside it, from the same scenarios. */
  beside?: RegExp;
}

export type Judgement = 'met' | 'missed' | 'undecided';

export interface GoalResult {
  goal: Goal;
  scenario: string;
  metric: MergedMetric;
  comparison: Comparison;
  judgement: Judgement;
}

/** What of a report the goals need; reports of every format have it. */
export interface Judged {
  scenarios: readonly { name: string; metrics: readonly MergedMetric[] }[];
}

/** Bulk metrics have the number of streams in their name; in the first format there was only one. */
export const GOALS: readonly Goal[] = [
  {
    id: 'new',
    title: 'new connection, own CPU',
    short: 'new connection',
    bound: 'at most',
    limit: 0.95,
    sources: [{ scenario: 'new', metrics: /^ownUs$/ }],
  },
  {
    id: 'request',
    title: 'request, own CPU',
    short: 'request',
    bound: 'at most',
    limit: 0.95,
    sources: [{ scenario: 'keepalive', metrics: /^ownUs$/ }],
  },
  {
    id: 'bulkOwn',
    title: 'bulk, own CPU',
    short: 'bulk own',
    bound: 'at most',
    limit: 0.5,
    sources: [{ scenario: 'bulk', metrics: /^(down|up|both)\d*Own$/ }],
  },
  {
    id: 'bulkBox',
    title: 'bulk, whole box',
    short: 'bulk box',
    bound: 'at most',
    limit: 0.85,
    sources: [{ scenario: 'bulk', metrics: /^(down|up|both)\d*Box$/ }],
  },
  {
    id: 'throughput',
    title: 'throughput',
    short: 'throughput',
    bound: 'at least',
    limit: 1,
    sources: [
      { scenario: 'new', metrics: /^rate$/ },
      { scenario: 'keepalive', metrics: /^rate$/ },
      { scenario: 'bulk', metrics: /^(down|up|both)\d*Rate$/ },
    ],
  },
  {
    id: 'p99',
    title: 'latency p99',
    short: 'p99',
    bound: 'at most',
    limit: 1,
    sources: [
      { scenario: 'new', metrics: /^p99Us$/ },
      { scenario: 'keepalive', metrics: /^p99Us$/ },
      { scenario: 'open', metrics: /P99Us$/ },
      { scenario: 'churn', metrics: /^p99Us$/ },
    ],
  },
  {
    id: 'memory',
    title: 'memory growth per idle connection',
    short: 'memory growth',
    bound: 'at most',
    limit: 0.05,
    sources: [{ scenario: 'idle', metrics: /^growthBytes$/ }],
    // Growth alone would hide what was allocated at start. Early runs have `growth` by proportional set size, which others on the
    // machine could make smaller: it is no answer to this goal.
    beside: /^at\d+$/,
  },
];

/** One result per goal and metric that the report compares, in the order of the goals. */
export function judgeGoals({ scenarios }: Judged): GoalResult[] {
  return GOALS.flatMap((goal) =>
    goal.sources.flatMap((source) =>
      scenarios
        .filter(({ name }) => name === source.scenario)
        .flatMap(({ metrics }) => metrics.filter(({ metric }) => source.metrics.test(metric.id)))
        .flatMap((metric) => judged(goal, source.scenario, metric)),
    ),
  );
}

function judged(goal: Goal, scenario: string, metric: MergedMetric): GoalResult[] {
  const { comparison } = metric;
  return comparison === undefined ? [] : [{ goal, scenario, metric, comparison, judgement: judge(goal, comparison) }];
}

/** Without an interval (too few rounds) no goal is met or missed. */
export function judge({ bound, limit }: Goal, { low, high }: Comparison): Judgement {
  if (low === undefined || high === undefined) return 'undecided';
  const [best, worst] = bound === 'at most' ? [low, high] : [-high, -low];
  const edge = bound === 'at most' ? limit : -limit;
  if (worst <= edge) return 'met';
  return best > edge ? 'missed' : 'undecided';
}

/** Whether the ratio alone, without its interval, is where it should be. */
function isWithin({ bound, limit }: Goal, ratio: number): boolean {
  return bound === 'at most' ? ratio <= limit : ratio >= limit;
}

/** A goal with all its metrics. Without any it was not measured, and has no judgement. */
export interface GoalSummary {
  goal: Goal;
  results: GoalResult[];
  /** The result that is furthest from what is wanted. */
  worst?: GoalResult;
  judgement?: Judgement;
}

/** Every goal, measured or not. */
export function summariseGoals(report: Judged): GoalSummary[] {
  const all = judgeGoals(report);
  return GOALS.map((goal) => {
    const results = all.filter((result) => result.goal === goal);
    const worst = worstOf(results);
    return worst === undefined ? { goal, results } : { goal, results, worst, judgement: overall(results) };
  });
}

/** One metric that misses makes the goal missed, one that is undecided leaves it open. */
function overall(results: readonly GoalResult[]): Judgement {
  const has = (judgement: Judgement) => results.some((result) => result.judgement === judgement);
  if (has('missed')) return 'missed';
  return has('undecided') ? 'undecided' : 'met';
}

/** The worst judgement first, the worst ratio among equals: a missed goal is never shown by a metric that only comes near. */
function worstOf(results: readonly GoalResult[]): GoalResult | undefined {
  const badness = { met: 0, undecided: 1, missed: 2 } as const;
  const sign = results[0]?.goal.bound === 'at most' ? 1 : -1;
  const [first, ...rest] = results;
  if (first === undefined) return undefined;
  return rest.reduce((a, b) => {
    const difference = badness[b.judgement] - badness[a.judgement] || sign * (b.comparison.ratio - a.comparison.ratio);
    return difference > 0 ? b : a;
  }, first);
}

export function formatLimit({ bound, limit }: Goal): string {
  return `${bound === 'at most' ? '<=' : '>='} ${limit.toFixed(2)}`;
}

/** `met`, `missed`, or undecided with the side on which the median lies. */
export function formatJudgement({ goal, comparison, judgement }: GoalResult): string {
  if (judgement !== 'undecided') return judgement;
  return `undecided (median ${isWithin(goal, comparison.ratio) ? 'meets' : 'misses'} it)`;
}
