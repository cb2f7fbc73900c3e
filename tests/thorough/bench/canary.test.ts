// Would the benchmark notice? Our balancer slowed on purpose (200 us of CPU per accepted connection) beside our balancer as it is: the
// verdict has to be "slower". One deliberately broken variant that goes unnoticed would make every other verdict worthless.

import { expect, test } from 'vitest';
import { canary } from '../../../bench/canary.ts';
import { type MergedMetric, mergeMetric } from '../../../bench/merge.ts';
import { parseOptions } from '../../../bench/options.ts';
import { balancer } from '../../../bench/peers/balancer.ts';
import { runRounds } from '../../../bench/rounds.ts';
import type { Scenario } from '../../../bench/scenario.ts';
import { loadWithSmallRequests, newConnections } from '../../../bench/scenarios/http.ts';
import * as nginx from '../../../testing/servers/nginx.ts';

/** The fewest that a verdict can rest on. */
const ROUNDS = '6';

/** The part of scenario `new` that measures cost; its latencies take as long again. */
const costOfNew: Scenario = {
  ...newConnections,
  async measure(stage) {
    const shape = { connections: stage.scale.newConnectionsAtOnce, newConnections: true };
    const { ownUs, load } = await loadWithSmallRequests(stage, await stage.start(), shape);
    return { figures: { ownUs: ownUs / load.requests } };
  },
};

test.skipIf(!nginx.available())(
  `a slowed balancer is called slower${nginx.available() ? '' : ` (skipped: ${nginx.missing})`}`,
  async () => {
    const { scale } = parseOptions(['--scale', 'tiny', '--rounds', ROUNDS], ['new'], []);
    const measurements = await runRounds({ scale, scenarios: [costOfNew], contenders: [canary, balancer] });
    const ownCpu = costOfNew.metrics(scale).find(({ id }) => id === 'ownUs');
    expect(ownCpu).toBeDefined();
    const samples = measurements.get(costOfNew.name);
    const merged: MergedMetric | undefined = ownCpu && samples && mergeMetric(ownCpu, samples, canary.name);
    expect(merged?.comparison).toMatchObject({ bestPeer: 'balancer', verdict: 'slower' });
    // By about the 200 us: the hook is in place, and nothing else slowed it.
    const { canary: slowed, balancer: usual } = merged?.contenders ?? {};
    const extraUs = (slowed?.median ?? 0) - (usual?.median ?? 0);
    expect(extraUs).toBeGreaterThan(100);
    expect(extraUs).toBeLessThan(400);
  },
  60_000,
);
