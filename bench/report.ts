// One run as a value: what is printed, kept under bench/results/, drawn and made into BENCHMARKS.md. Plain JSON.

import type { HeaderKind } from './contender.ts';
import type { Machine } from './machine.ts';
import type { MergedDistribution, MergedMetric } from './merge.ts';

export interface Report {
  /** Raised when old files can no longer be read as this. */
  format: 2;
  /** ISO 8601, UTC */
  startedAt: string;
  /** The contender that all others are compared with. */
  subject: string;
  /** The commit that was measured, with `+` when the tree had changes; absent outside a repository. */
  revision?: string;
  rounds: number;
  scale: string;
  commandLine: string;
  machine: Machine;
  contenders: Record<string, ContenderReport>;
  /** What was left out and why, what could not be set. */
  notes: string[];
  scenarios: ScenarioReport[];
}

export interface ContenderReport {
  version: string;
  /** The header it sends where a scenario does not ask for another. */
  header: HeaderKind;
  command: string;
  /** Its configuration file, for one port. */
  configuration: string;
}

export interface ScenarioReport {
  name: string;
  description: string;
  metrics: MergedMetric[];
  distributions: MergedDistribution[];
}
