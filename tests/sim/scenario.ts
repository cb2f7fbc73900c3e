// Seed -> what happens in a run: listeners, nodes, clients, their scripts, the faults, the sizes. A scenario is data and
// decides nothing later, except that each connection to a node draws its script from the node's own sequence.
//
// Every conversation ends by itself when nobody misbehaves: whoever waits, waits for something that the other one does
// without waiting. So a run that stands still is a bug of the code under test.

import { ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, ETIMEDOUT } from '../../core/base/errno.ts';
import { type Faults, randomFaults } from './faults.ts';
import { type Address, addressOf } from './network.ts';
import type { PeerStep } from './peer.ts';
import { Random } from './random.ts';
import { type Conversation, clientScript, randomConversation } from './scripts.ts';
import type { EndLimits } from './tcp-end.ts';

/** How large things are: bytes of a stream, of a segment, of a queue. Small sizes find the borders, large ones the loops. */
export interface Scale {
  readonly streamMax: number;
  readonly segmentMax: number;
  readonly queueMax: number;
}

const SCALES: readonly Scale[] = [
  { streamMax: 300, segmentMax: 40, queueMax: 4096 },
  { streamMax: 20_000, segmentMax: 1460, queueMax: 16_384 },
  { streamMax: 300_000, segmentMax: 65_536, queueMax: 262_144 },
];

export type ProxyHeader = 'none' | 'v1' | 'v2';

export interface ClientSpec {
  readonly startMs: number;
  readonly from: Address;
  /** Index into the scenario's listeners. */
  readonly listener: number;
  readonly script: readonly PeerStep[];
}

/** From that time of the run on. */
export interface Spell {
  readonly fromMs: number;
  readonly connects: 'accept' | 'refuse' | 'black-hole';
}

export interface NodeSpec {
  readonly address: Address;
  /** In the order of time; a node accepts until the first. What it accepts by schedule may still fail by chance. */
  readonly schedule?: readonly Spell[];
  /** Probabilities of what a connect meets; what is left accepts. */
  readonly failChance: number;
  readonly failErrno: number;
  readonly blackHoleChance: number;
  readonly selfChance: number;
  /** connect(2) answers by itself, be it success or failure. */
  readonly atOnceChance: number;
  readonly connectMsMax: number;
  /** A connection that is accepted misbehaves. */
  readonly troubleChance: number;
  /** What a connection does, where it is not its part of the conversation. */
  readonly script?: readonly PeerStep[];
}

export interface Scenario {
  readonly seed: number;
  readonly faults: Faults;
  readonly scale: Scale;
  readonly conversation: Conversation;
  readonly proxyHeader: ProxyHeader;
  readonly listeners: readonly { readonly address: Address; readonly backlog: number }[];
  readonly nodes: readonly NodeSpec[];
  readonly clients: readonly ClientSpec[];
  /** Peers react within this time. */
  readonly reactionMsMax: number;
  readonly delayMsMax: number;
}

export function createScenario(seed: number): Scenario {
  const random = new Random(seed);
  const scale = random.pick(SCALES);
  const conversation = randomConversation(random, scale);
  const isV6 = random.chance(0.3);
  const troubled = random.chance(0.7);
  const listeners = Array.from({ length: random.int(1, 3) }, (_, i) => ({
    address: addressOf(isV6 ? '::' : '0.0.0.0', 80 + i),
    backlog: random.chance(0.1) ? random.int(0, 2) : 128,
  }));
  const spreadMs = random.size(1, 200);
  const client = (_: unknown, i: number): ClientSpec => ({
    startMs: random.between(0, spreadMs),
    from: isV6 ? addressOf(`2001:db8::${i + 1}`, random.int(1024, 65_535)) : addressOf(`192.0.2.${i + 1}`, 40_000 + i),
    listener: random.int(0, listeners.length - 1),
    script: clientScript(random, conversation, troubled && random.chance(0.25)),
  });
  return {
    seed,
    faults: randomFaults(random),
    scale,
    conversation,
    proxyHeader: random.pick(['none', 'v1', 'v2'] as const),
    listeners,
    nodes: Array.from({ length: random.int(1, 4) }, (_, i) => randomNode(random, i, troubled)),
    clients: Array.from({ length: random.int(1, 8) }, client),
    reactionMsMax: random.size(1, 5),
    delayMsMax: random.pick([0.02, 0.5, 5]),
  };
}

function randomNode(random: Random, index: number, troubled: boolean): NodeSpec {
  const sometimes = (most: number) => (troubled && random.chance(0.3) ? random.between(0, most) : 0);
  return {
    address: random.chance(0.3) ? addressOf(`fd00::2:${index + 1}`, 8080) : addressOf(`10.0.1.${index + 1}`, 8080),
    failChance: random.chance(0.1) ? 1 : sometimes(0.8),
    failErrno: random.pick([ECONNREFUSED, ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, ETIMEDOUT]),
    blackHoleChance: sometimes(0.4),
    selfChance: sometimes(0.3),
    atOnceChance: sometimes(0.5),
    connectMsMax: random.size(1, 20),
    troubleChance: sometimes(0.6),
  };
}

/** What the schedule says of a node at a time of the run. */
export function connectsAt({ schedule = [] }: NodeSpec, atMs: number): Spell['connects'] {
  return schedule.findLast(({ fromMs }) => fromMs <= atMs)?.connects ?? 'accept';
}

/** Queue sizes and speed of one end. */
export function randomLimits(random: Random, scenario: Scenario): EndLimits {
  const { scale, delayMsMax } = scenario;
  const delayMinMs = random.between(0, delayMsMax / 2);
  return {
    receiveLimit: random.size(scale.segmentMax, scale.queueMax),
    sendLimit: random.size(2304, scale.queueMax),
    delayMinMs,
    delayMaxMs: random.between(delayMinMs, delayMsMax),
    segmentMax: scale.segmentMax,
  };
}

/** One line, for the report of a failure. */
export function describeScenario(scenario: Scenario): string {
  const { seed, scale, conversation, proxyHeader, listeners, nodes, clients } = scenario;
  return (
    `seed ${seed}: ${clients.length} clients, ${nodes.length} nodes, ${listeners.length} listeners, ` +
    `${conversation.kind}, streams up to ${scale.streamMax} bytes, header ${proxyHeader}`
  );
}
