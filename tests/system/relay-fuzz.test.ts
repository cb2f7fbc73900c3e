// The relay of the real binary against sessions drawn from a seed: sizes, pieces, deaf ends, half-closes and resets at any moment, both
// ways, with each way of moving bytes. Every byte is compared, and how a stream ended is judged as strictly as its bytes.

import { afterEach, expect, test } from 'vitest';
import { freePort, LOOPBACK_IPV4 } from '../../testing/ports.ts';
import { RawListener } from '../../testing/raw-socket.ts';
import { describeReplay, firstSeed, replayedOf, runsWanted } from '../../testing/suite/seeds.ts';
import { bySize } from '../../testing/suite/size.ts';
import { openScene, type Scene } from './data-path/scene.ts';
import { RelayFuzz } from './relay-fuzz/run.ts';

const FILE = 'tests/system/relay-fuzz.test.ts';
const SETTINGS: readonly (readonly [name: string, env: Readonly<Record<string, string>>])[] = [
  ['as it comes', {}],
  ['splice on', { BALANCER_SPLICE: 'on' }],
  ['splice off', { BALANCER_SPLICE: 'off' }],
  [
    'splice on, small buffers and pipes',
    { BALANCER_SPLICE: 'on', BALANCER_BUFFER_BYTES: '4096', BALANCER_PIPE_BYTES: '65536' },
  ],
  ['no pipes', { BALANCER_PIPE_TOTAL_BYTES: '0', BALANCER_BUFFER_BYTES: '8192' }],
];
/** of each of them: 1,000 sessions together, or 24,500 */
const SESSIONS = { quick: 200, thorough: 4900 };
const AT_ONCE = 24;

let scene: Scene | undefined;
let node: RawListener | undefined;
let fuzz: RelayFuzz | undefined;
afterEach(async () => {
  fuzz?.close();
  await scene?.close();
  node?.close();
});

test.each(SETTINGS)('%s: every byte, and every end as it was', async (name, settings) => {
  node = new RawListener(LOOPBACK_IPV4, await freePort());
  scene = await openScene({
    proxyProtocol: 'v2',
    nodes: [{ label: 'raw', address: `${LOOPBACK_IPV4}:${node.port}` }],
    // An end that is deaf for a while is not given up.
    env: { BALANCER_LINGER_TIMEOUT_MS: '60000', ...settings },
  });
  // Each setting has sessions of its own.
  const first = firstSeed() + SETTINGS.findIndex(([one]) => one === name) * SESSIONS.thorough;
  const fresh = Array.from({ length: runsWanted(bySize(SESSIONS)) }, (_, index) => first + index);
  const seeds = [...replayedOf(FILE).map(({ seed }) => seed), ...fresh];
  fuzz = new RelayFuzz({ port: scene.port, node, seeds, atOnce: AT_ONCE });
  await fuzz.run();
  const told = fuzz.failures.map(({ seed, wrong }) => `${wrong.join('; ')}\n${describeReplay(FILE, seed)}`);
  expect(told.join('\n\n')).toBe('');
});
