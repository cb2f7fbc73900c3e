// What a scenario is: the figures and distributions that it gives, and one measurement of one contender. It measures and checks;
// merging rounds, printing and drawing are others' work.

import type { Contender, RunningContender, Setup } from './contender.ts';
import type { EncodedLatency } from './latency.ts';
import type { Distribution, Metric } from './metric.ts';
import type { BenchNode } from './node.ts';
import type { Scale } from './options.ts';

/** What one measurement gave. A metric that a contender cannot give is absent in each of its samples. */
export interface Sample {
  figures: Record<string, number>;
  /** distribution id -> histogram */
  latencies?: Record<string, EncodedLatency>;
}

export interface Stage {
  scale: Scale;
  contender: Contender;
  node: BenchNode;
  /** Starts the contender in a fresh process. It is stopped after the measurement, and must have lived until then. */
  start(setup?: Setup): Promise<RunningContender>;
}

export interface Scenario {
  name: string;
  describe(scale: Scale): string;
  metrics(scale: Scale): Metric[];
  distributions?(scale: Scale): Distribution[];
  /** Why a contender has no place in this scenario; undefined when it has. */
  leavesOut?(contender: Contender): string | undefined;
  /** Rejects when a byte or an answer is missing: a fast balancer that loses data has no figures. */
  measure(stage: Stage): Promise<Sample>;
}
