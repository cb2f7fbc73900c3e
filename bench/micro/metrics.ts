// What every session leaves behind: counts in shared cells, and a latency in a histogram.

import type { Operation, Operations } from './catalogue.ts';
import { expectEqual, importPart } from './core.ts';
import { createRandom, VARIANT_MASK, VARIANTS } from './inputs.ts';

type Counters = typeof import('../../core/metrics/counters.ts');
type Histograms = typeof import('../../core/metrics/histogram.ts');

const FRONTENDS = 1;
const NODES = 64;
const NODE_MASK = NODES - 1;
const SHORTEST_US = 30;
const OCTAVES = 16;
const LATENCY_SEED = 5;

export async function counterOperations(root: string): Promise<Operations> {
  const part: Counters = await importPart(root, 'core/metrics/counters.ts', [
    'add',
    'countersBytes',
    'createCounters',
    'NODE',
    'NODE_STRIDE',
  ]);
  return { counterAdd: addTo(part) };
}

function addTo({ add, countersBytes, createCounters, NODE, NODE_STRIDE }: Counters): Operation {
  const create = () => createCounters(new SharedArrayBuffer(countersBytes(FRONTENDS, NODES)), FRONTENDS, NODES).nodes;
  const cells = create();
  const cellOf = (i: number) => (i & NODE_MASK) * NODE_STRIDE + NODE.bytesIn;
  return {
    check() {
      const fresh = create();
      for (let i = 0; i < 2 * NODES; i++) add(fresh, cellOf(i), i);
      for (let i = 0; i < NODES; i++) expectEqual(`counter ${i}`, fresh[cellOf(i)], i + (i + NODES));
      expectEqual(
        'all cells',
        fresh.reduce((a, b) => a + b, 0),
        NODES * (2 * NODES - 1),
      );
    },
    batch(count) {
      for (let i = 0; i < count; i++) add(cells, cellOf(i), i);
      return cells[cellOf(count)] ?? 0;
    },
  };
}

export async function histogramOperations(root: string): Promise<Operations> {
  const part: Histograms = await importPart(root, 'core/metrics/histogram.ts', [
    'createHistogram',
    'HISTOGRAM_BYTES',
    'percentileUs',
    'record',
    'sumHistograms',
  ]);
  return { histogramRecord: recordIn(part) };
}

/** From some microseconds to seconds, each octave as often as the next. */
function makeLatenciesUs(): Float64Array {
  const random = createRandom(LATENCY_SEED);
  return Float64Array.from({ length: VARIANTS }, () => SHORTEST_US * 2 ** (random() * OCTAVES));
}

function recordIn({ createHistogram, HISTOGRAM_BYTES, percentileUs, record, sumHistograms }: Histograms): Operation {
  const latenciesUs = makeLatenciesUs();
  const histogram = createHistogram(new SharedArrayBuffer(HISTOGRAM_BYTES), 0);
  return {
    check() {
      const fresh = createHistogram(new SharedArrayBuffer(HISTOGRAM_BYTES), 0);
      for (const latencyUs of latenciesUs) record(fresh, latencyUs);
      const summary = sumHistograms([fresh]);
      expectEqual('values', summary.count, VARIANTS);
      const trueMedianUs = latenciesUs.toSorted()[VARIANTS / 2 - 1] ?? 0;
      const ratio = percentileUs(summary, 50) / trueMedianUs;
      if (!(ratio > 0.98 && ratio < 1.02)) throw new Error(`median: ${ratio} of the true one`);
    },
    batch(count) {
      for (let i = 0; i < count; i++) record(histogram, latenciesUs[i & VARIANT_MASK] ?? 0);
      return histogram.cells[0] ?? 0;
    },
  };
}
