// What a scenario is: the metrics that it gives, and one measurement of one running contender. It measures and checks;
// merging rounds and printing are others' work.

import type { RunningContender } from './contender.ts';
import type { BenchNode } from './node.ts';
import type { Scale } from './options.ts';

export interface Metric {
  id: string;
  label: string;
  unit: string;
  /** `none`: shown, never compared. */
  better: 'lower' | 'higher' | 'none';
}

/** Metric id -> value, of one measurement. */
export type Sample = Record<string, number>;

export interface Stage {
  scale: Scale;
  contender: RunningContender;
  node: BenchNode;
  httpFrontPort: number;
  sinkFrontPort: number;
}

export interface Scenario {
  name: string;
  describe(scale: Scale): string;
  metrics(scale: Scale): Metric[];
  /** Rejects when a byte or an answer is missing: a fast balancer that loses data has no figures. */
  measure(stage: Stage): Promise<Sample>;
}
