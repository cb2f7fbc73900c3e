// What a scrape costs the control thread: nothing else is answered meanwhile.

import { expect, test } from 'vitest';
import { Metrics } from '../../../control/api/metrics.ts';
import { ownCpuMs } from '../../../testing/yardstick.ts';
import { frontendOf, nodeOf } from '../../pure/control/api/beyond/support.ts';
import { startLab } from '../../pure/control/api/support.ts';

test('more than 10,000 series take under 200 ms of CPU', async () => {
  const lab = startLab();
  const nodes = (port: number) =>
    Array.from({ length: 10 }, (_, i) => nodeOf(`node-${i}`, `10.0.${port % 250}.${i}:80`, { connects: i }));
  lab.plane.frontends = Array.from({ length: 100 }, (_, i) => frontendOf('web', 1000 + i, { nodes: nodes(1000 + i) }));
  let steadyMs = 0;
  const metrics = new Metrics(lab.context, () => steadyMs);
  let text = '';
  // The first pays for the compiler.
  const scrapes = Array.from({ length: 4 }, () => {
    steadyMs += 1000;
    return ownCpuMs(() => {
      text = metrics.text();
    });
  });
  await lab.close();
  expect(text.split('\n').filter((line) => !line.startsWith('#')).length).toBeGreaterThan(10_000);
  expect(Math.min(...scrapes)).toBeLessThan(200);
});
