// Seed -> a run about sick nodes: nodes that refuse, vanish and come back over some seconds, clients in bursts, limits and queues.
// In half of the runs the first node is well all the time; then there is room to wait for it and a retry for every other node, so
// that no client may be turned away. Peers themselves behave, but for some clients.

import { ECONNREFUSED, EHOSTUNREACH } from '../../core/base/errno.ts';
import { EJECTION_MS } from '../../core/health/ejection.ts';
import type { FrontendPlan, NodePlan } from '../../core/session/plan.ts';
import type { ShardSettings } from '../../core/session/settings.ts';
import { addressOf } from './network.ts';
import { Random } from './random.ts';
import type { ClientSpec, NodeSpec, Scenario, Spell } from './scenario.ts';
import { clientScript, randomConversation } from './scripts.ts';
import { frontendOf, settingsOf } from './shard-binding.ts';

/** Long enough for ejections, trials and further ejections. */
const RUN_MS = 20_000;
const SMALL = { streamMax: 300, segmentMax: 40, queueMax: 4096 } as const;

/** Whether the node accepts every connect. */
function isWell({ schedule, failChance, blackHoleChance, selfChance }: NodeSpec): boolean {
  return schedule === undefined && failChance + blackHoleChance + selfChance === 0;
}

/** Whether every client finds a node that serves it. */
export function isServed({ nodes }: Scenario): boolean {
  return nodes.some(isWell);
}

/** @param drawn what the seed gave: its faults are kept as far as they are no reason to lose a node */
export function poolScenario(drawn: Scenario): Scenario {
  const random = new Random(drawn.seed ^ 0x2222_2222);
  const conversation = randomConversation(random, SMALL);
  const hasWell = random.chance(0.5);
  const nodes = Array.from({ length: random.int(2, 4) }, (_, i) => randomNode(random, i, hasWell && i === 0));
  const bursts = Array.from({ length: random.int(2, 7) }, () => random.between(0, RUN_MS));
  const client = (_: unknown, i: number): ClientSpec => ({
    startMs: random.pick(bursts) + random.between(0, 50),
    from: addressOf(`192.0.2.${random.int(1, 4)}`, 40_000 + i),
    listener: 0,
    script: clientScript(random, conversation, random.chance(0.1)),
  });
  return {
    ...drawn,
    scale: SMALL,
    conversation,
    // Only a header tells whose connection it is that nothing was said on.
    proxyHeader: random.pick(['v1', 'v2'] as const),
    faults: { ...drawn.faults, openSocketErrors: 0, descriptorsMax: 1024 },
    listeners: [{ address: addressOf('0.0.0.0', 80), backlog: 128 }],
    nodes,
    clients: Array.from({ length: random.int(8, 30) }, client),
  };
}

function randomNode(random: Random, index: number, well: boolean): NodeSpec {
  return {
    address: addressOf(`10.0.1.${index + 1}`, 8080),
    ...(well ? {} : { schedule: randomSchedule(random) }),
    failChance: !well && random.chance(0.2) ? random.between(0, 0.5) : 0,
    failErrno: random.pick([ECONNREFUSED, EHOSTUNREACH]),
    blackHoleChance: 0,
    selfChance: 0,
    atOnceChance: random.chance(0.3) ? random.between(0, 1) : 0,
    connectMsMax: random.size(1, 20),
    troubleChance: 0,
  };
}

/** Sick and well in turn, for moments or for seconds; well in the end. */
function randomSchedule(random: Random): Spell[] {
  const spells: Spell[] = [];
  const lengthMax = random.pick([200, 3000, 10_000]);
  for (let fromMs = 0; fromMs < RUN_MS; fromMs += random.size(10, lengthMax)) {
    const sick = random.pick(['refuse', 'black-hole'] as const);
    spells.push({ fromMs, connects: random.chance(0.6) ? sick : 'accept' });
  }
  return [...spells, { fromMs: RUN_MS, connects: 'accept' }];
}

export function poolSettings(scenario: Scenario): Partial<ShardSettings> {
  const random = new Random(scenario.seed ^ 0x1234_5678);
  const { connectRetries, connectTimeoutMs } = settingsOf(scenario);
  const enough = scenario.nodes.length - 1;
  return {
    connectionsMax: 32,
    // Longer than an ejection: then sessions from before it are still connecting when the node is tried.
    connectTimeoutMs: random.chance(0.3) ? EJECTION_MS + random.int(1000, 3000) : connectTimeoutMs,
    connectRetries: isServed(scenario) ? Math.max(connectRetries, enough) : connectRetries,
    logSessions: true,
  };
}

/** The one frontend: passive checks on, narrow limits, and room in the queue where every client is to be served. */
export function poolFrontend(scenario: Scenario): FrontendPlan {
  const random = new Random(scenario.seed ^ 0x4444_4444);
  const drawn = frontendOf(scenario, 0);
  const isRoomy = isServed(scenario) || random.chance(0.5);
  const hasLimits = random.chance(0.6);
  const nodes = drawn.nodes.map(
    (node, i): NodePlan => ({
      ...node,
      mode: i > 0 && random.chance(0.2) ? 'backup' : 'accept',
      maxConnections: hasLimits && random.chance(0.7) ? random.int(1, 3) : 0,
    }),
  );
  return {
    ...drawn,
    isPassive: true,
    checkIntervalMs: random.pick([10, 100, 1000, 10_000]),
    queueSize: isRoomy ? scenario.clients.length : random.int(0, 4),
    queueTimeoutMs: isRoomy ? 600_000 : random.int(10, 1000),
    nodes,
  };
}
