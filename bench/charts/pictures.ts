// Which pictures a run has: the one list of them. What a run did not measure has no picture.

import type { Report } from '../report.ts';
import { costPicture } from './cost.ts';
import { type LatencyPicture, latencyPicture } from './latency.ts';
import { memoryPicture } from './memory.ts';
import type { Picture } from './picture.ts';

const LATENCY_PICTURES: readonly LatencyPicture[] = [
  {
    name: 'latency-requests',
    scenario: 'open',
    distribution: 'requests',
    title: 'Latency of requests at a fixed rate (lower is better)',
    counted: 'share of requests answered within that latency',
  },
  {
    name: 'latency-connections',
    scenario: 'open',
    distribution: 'connections',
    title: 'Latency of new connections at a fixed rate (lower is better)',
    counted: 'share of connections answered within that latency',
  },
  {
    name: 'latency-churn',
    scenario: 'churn',
    distribution: 'short',
    title: 'Latency of short connections beside big streams (lower is better)',
    counted: 'share of connections answered within that latency',
  },
];

export function picturesOf(report: Report): Picture[] {
  const pictures = [
    costPicture(report),
    ...LATENCY_PICTURES.map((which) => latencyPicture(which, report)),
    memoryPicture(report),
  ];
  return pictures.filter((picture) => picture !== undefined);
}
