// A made-up run of seven rounds, of the shape that real ones have, merged by the real code: for tests of what is made out of a run,
// and for looking at pictures without waiting for one. Its figures mean nothing; they are the same every time.

import { createLatency, encodeLatency, percentileFigures } from '../../../bench/latency.ts';
import { mergeDistribution, mergeMetric } from '../../../bench/merge.ts';
import type { Distribution, Metric } from '../../../bench/metric.ts';
import type { Report, ScenarioReport } from '../../../bench/report.ts';
import type { Sample } from '../../../bench/scenario.ts';

export const ROUNDS = 7;
const REQUESTS_PER_ROUND = 20_000;

/** Costs relative to the best peer; `tail` is how heavy its latencies' end is. */
const CONTENDERS = {
  balancer: { cpu: 0.92, bulk: 0.3, tail: 0.9, atStart: 98, bytes: 20 },
  haproxy: { cpu: 1, bulk: 1, tail: 0.8, atStart: 11.4, bytes: 3527 },
  nginx: { cpu: 1.02, bulk: 1.1, tail: 0.95, atStart: 10, bytes: 9996 },
  node: { cpu: 1.6, bulk: 1.9, tail: 1.4, atStart: 62, bytes: 14_100 },
} as const;

type Name = keyof typeof CONTENDERS;
const NAMES: readonly Name[] = ['balancer', 'haproxy', 'nginx', 'node'];

/** A small generator of equally spread numbers in 0..1 (mulberry32): the same on every machine. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Make = (name: Name, random: () => number) => Sample;

function samplesOf(seed: number, make: Make): Map<string, Sample[]> {
  const random = randomFrom(seed);
  return new Map(NAMES.map((name) => [name, Array.from({ length: ROUNDS }, () => make(name, random))]));
}

function scenario(
  name: string,
  description: string,
  metrics: Metric[],
  distributions: Distribution[],
  make: Make,
): ScenarioReport {
  const samples = samplesOf(name.length, make);
  return {
    name,
    description,
    metrics: metrics.map((metric) => mergeMetric(metric, samples, 'balancer')),
    distributions: distributions.map((distribution) => mergeDistribution(distribution, samples)),
  };
}

const lower = (id: string, label: string, unit: string): Metric => ({ id, label, unit, better: 'lower' });
const higher = (id: string, label: string, unit: string): Metric => ({ id, label, unit, better: 'higher' });
const shown = (id: string, label: string, unit: string): Metric => ({ id, label, unit, better: 'none' });
const noisy = (value: number, random: () => number) => value * (0.94 + 0.12 * random());

function percentiles(prefix: string, label: string): Metric[] {
  const id = (digits: string) => (prefix === '' ? `p${digits}Us` : `${prefix}P${digits}Us`);
  return [
    lower(id('50'), `${label} p50`, 'us'),
    lower(id('90'), `${label} p90`, 'us'),
    lower(id('99'), `${label} p99`, 'us'),
    lower(id('999'), `${label} p99.9`, 'us'),
  ];
}

/** Exponential with a heavy end: most answers near `typicalUs`, one in a thousand many times that. */
function latencies(typicalUs: number, tail: number, random: () => number) {
  const histogram = createLatency();
  for (let index = 0; index < REQUESTS_PER_ROUND; index++) {
    const body = typicalUs * (0.7 + 0.4 * -Math.log(1 - random()));
    const isLate = random() < 0.02 * tail;
    histogram.recordValue(Math.round(isLate ? body + typicalUs * 4 * tail * -Math.log(1 - random()) : body));
  }
  return histogram;
}

function http(name: string, per: string, costUs: number): ScenarioReport {
  const metrics = [
    lower('ownUs', `own CPU per ${per}`, 'us'),
    lower('boxUs', `whole box per ${per}`, 'us'),
    higher('rate', `${per}s per second`, '/s'),
    ...percentiles('', 'latency'),
    shown('kernelShare', 'kernel’s part of own CPU', ''),
  ];
  return scenario(name, `made-up ${per}s, 32 at a time`, metrics, [], (contender, random) => {
    const { cpu, tail } = CONTENDERS[contender];
    const own = noisy(costUs * cpu, random);
    const figures = percentileFigures(latencies(costUs * 25, tail, random));
    return {
      figures: { ownUs: own, boxUs: own + noisy(costUs, random), rate: 1e6 / own, ...figures, kernelShare: 0.87 },
    };
  });
}

function openLoop(): ScenarioReport {
  const metrics = [...percentiles('requests', 'request'), ...percentiles('connections', 'new connection')];
  const distributions = [
    { id: 'requests', label: 'request over a kept connection, from its intended time' },
    { id: 'connections', label: 'new connection to first byte, from its intended time' },
  ];
  const description =
    '10000 made-up requests/s over 64 kept connections, then 2000 new connections/s; latency from the intended time';
  return scenario('open', description, metrics, distributions, (name, random) => {
    const { cpu, tail } = CONTENDERS[name];
    const requests = latencies(180 * cpu, tail, random);
    const connections = latencies(420 * cpu, tail * 1.5, random);
    return {
      figures: { ...percentileFigures(requests, 'requests'), ...percentileFigures(connections, 'connections') },
      latencies: { requests: encodeLatency(requests), connections: encodeLatency(connections) },
    };
  });
}

const LOADS = (['down', 'up', 'both'] as const).flatMap((way) =>
  [1, 8].map((streams) => ({ way, streams, what: `${way}, ${streams === 1 ? '1 stream' : `${streams} streams`}` })),
);

function bulk(): ScenarioReport {
  const metrics = LOADS.flatMap(({ way, streams, what }) => [
    lower(`${way}${streams}Own`, `own CPU, ${what}`, 's/GB'),
    lower(`${way}${streams}Box`, `whole box, ${what}`, 's/GB'),
    higher(`${way}${streams}Rate`, `throughput, ${what}`, 'GB/s'),
    shown(`${way}${streams}Spliced`, `share spliced, ${what}`, ''),
  ]);
  return scenario('bulk', 'made-up streams of 128 MiB', metrics, [], (name, random) => {
    const figures: Record<string, number> = {};
    for (const { way, streams } of LOADS) {
      const own = noisy(0.6 * CONTENDERS[name].bulk, random);
      figures[`${way}${streams}Own`] = own;
      figures[`${way}${streams}Box`] = own + noisy(0.55, random);
      figures[`${way}${streams}Rate`] = noisy(1.4 / (0.4 + 0.6 * CONTENDERS[name].bulk), random);
      // Only ours can say it: absent in all samples of the others.
      if (name === 'balancer') figures[`${way}${streams}Spliced`] = 0.98;
    }
    return { figures };
  });
}

function idle(): ScenarioReport {
  const steps = [0, 2000, 5000];
  const metrics = [
    lower('growthBytes', 'growth per connection', 'B'),
    ...steps.map((count) => shown(`at${count}`, `memory at ${count}`, 'MiB')),
  ];
  return scenario('idle', 'made-up memory at 0, 2000, 5000 idle connections', metrics, [], (name, random) => {
    const { atStart, bytes } = CONTENDERS[name];
    const growthBytes = noisy(bytes, random);
    const totals = steps.map((count) => [`at${count}`, atStart + (count * growthBytes) / 2 ** 20]);
    return { figures: { growthBytes, ...Object.fromEntries(totals) } };
  });
}

function churn(): ScenarioReport {
  const metrics = [...percentiles('', 'short connection'), higher('bulkRate', 'throughput of the streams', 'GB/s')];
  const distributions = [{ id: 'short', label: 'short connection to first byte, while streams flow' }];
  return scenario('churn', 'made-up connections, 500 per second', metrics, distributions, (name, random) => {
    const short = latencies(9000 * CONTENDERS[name].cpu, CONTENDERS[name].tail, random);
    return {
      figures: { ...percentileFigures(short), bulkRate: noisy(1.2, random) },
      latencies: { short: encodeLatency(short) },
    };
  });
}

const CONFIGURATION = 'listen http\n  bind *:80\n  server node 127.0.0.1:8080\n';

export function sampleReport(): Report {
  return {
    format: 2,
    startedAt: '2026-01-02T03:04:05.678Z',
    subject: 'balancer',
    revision: '1a2b3c4+',
    rounds: ROUNDS,
    scale: 'full',
    commandLine: 'npm run bench -- --record',
    machine: {
      kernel: '6.1',
      cpu: 'Some CPU',
      cpus: 2,
      pinned: true,
      congestion: 'cubic',
      loadAtStart: 0.5,
      node: 'v26.10.0',
      programs: { load: 'wrk 4', 'node behind them': 'nginx 1.22' },
    },
    contenders: Object.fromEntries(
      NAMES.map((name) => [
        name,
        { version: `${name} 1.0`, header: 'v2' as const, command: `${name} -f FILE`, configuration: CONFIGURATION },
      ]),
    ),
    notes: ['a made-up note'],
    scenarios: [http('new', 'connection', 95), http('keepalive', 'request', 15.6), openLoop(), bulk(), idle(), churn()],
  };
}
