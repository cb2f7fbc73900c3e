// How soon a node that died is known as dead: within as many check intervals as it may miss checks.

import { afterEach, test } from 'vitest';
import { onePort } from '../../../testing/balancer.ts';
import { freePort } from '../../../testing/ports.ts';
import { measureTheirs, takesAtMost } from '../../../testing/yardstick.ts';
import { NamedNode, startPool } from '../../system/pool/scene.ts';
import { statusOf } from '../../system/pool/status.ts';

const CHECK_SECONDS = 2;
const CHECK_ATTEMPTS = 2;
const NOTICED_MS_MAX = CHECK_ATTEMPTS * CHECK_SECONDS * 1000 * 1.1;

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

test('a node that refuses connections', async () => {
  const node = await NamedNode.start('node-a');
  closers.push(() => node.close());
  const balancer = await startPool(
    onePort({
      port: await freePort(),
      check: 'connection',
      check_interval: CHECK_SECONDS,
      check_timeout: 1,
      check_attempts: CHECK_ATTEMPTS,
      nodes: [{ label: node.label, address: node.address }],
    }),
  );
  closers.push(() => balancer.stop());

  /** @returns when it became so, by the balancer's own clock */
  async function untilHealth(health: string): Promise<number> {
    let changed: string | null | undefined;
    await balancer.program.waitUntil(`the node to be ${health}`, async () => {
      const found = (await statusOf(balancer)).frontends[0]?.nodes[0];
      changed = found?.changed;
      return found?.health === health;
    });
    return Date.parse(changed ?? '');
  }

  let isListening = true;
  await takesAtMost(NOTICED_MS_MAX, async () => {
    if (!isListening) await node.listen();
    await untilHealth('up');
    isListening = false;
    return measureTheirs([balancer.pid], async () => {
      node.stopListening();
      const deadAt = Date.now();
      return (await untilHealth('down')) - deadAt;
    });
  });
  // Messages have a thread of their own: what the status says already may still be on its way there.
  await balancer.program.waitForOutput(/is DOWN: 2 checks in a row failed, the last: connection refused/);
});
