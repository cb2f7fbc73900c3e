// What clients and nodes say to each other, as peer scripts: a conversation that both sides of a scenario follow, and the
// trouble that cuts one of them short. Pure: randomness in, steps out.

import type { PeerStep } from './peer.ts';
import type { Random } from './random.ts';

export type Conversation =
  /** Both send at once. */
  | { readonly kind: 'both'; readonly bytesMax: number }
  /** The client sends everything and FIN, then the node answers. */
  | { readonly kind: 'client-first'; readonly bytesMax: number }
  /** The node sends everything and FIN, then the client. */
  | { readonly kind: 'node-first'; readonly bytesMax: number }
  /** Request and response in turn; sizes are fixed, so that both know what to wait for. */
  | {
      readonly kind: 'rounds';
      readonly rounds: number;
      readonly requestBytes: number;
      readonly responseBytes: number;
      readonly greetingBytes: number;
    };

type Kind = Conversation['kind'];
const KINDS: readonly Kind[] = ['both', 'client-first', 'node-first', 'rounds'];

export function randomConversation(random: Random, scale: { readonly streamMax: number }): Conversation {
  const kind = random.pick(KINDS);
  if (kind !== 'rounds') return { kind, bytesMax: scale.streamMax };
  const rounds = random.int(1, 6);
  const bytesMax = Math.ceil(scale.streamMax / rounds);
  return {
    kind,
    rounds,
    requestBytes: random.size(1, bytesMax),
    responseBytes: random.size(1, bytesMax),
    greetingBytes: random.chance(0.5) ? 0 : random.size(1, 100),
  };
}

export function clientScript(random: Random, conversation: Conversation, troubled: boolean): PeerStep[] {
  return withTrouble(random, [...readingStep(random, conversation), ...clientPart(random, conversation)], troubled);
}

export function nodeScript(random: Random, conversation: Conversation, troubled: boolean): PeerStep[] {
  return withTrouble(random, [...readingStep(random, conversation), ...nodePart(random, conversation)], troubled);
}

function clientPart(random: Random, conversation: Conversation): PeerStep[] {
  switch (conversation.kind) {
    case 'both':
      return [...sends(random, conversation.bytesMax), { do: 'fin' }, { do: 'await-end' }, { do: 'close' }];
    case 'client-first':
      return [...sends(random, conversation.bytesMax), { do: 'fin' }, { do: 'await-end' }, { do: 'close' }];
    case 'node-first':
      return [{ do: 'await-end' }, ...sends(random, conversation.bytesMax), { do: 'fin' }, { do: 'close' }];
    case 'rounds': {
      const { rounds, requestBytes, responseBytes, greetingBytes } = conversation;
      const steps: PeerStep[] = [{ do: 'await-bytes', bytes: greetingBytes }];
      for (let i = 1; i <= rounds; i++) {
        steps.push(sendStep(random, requestBytes), { do: 'await-bytes', bytes: greetingBytes + i * responseBytes });
      }
      return [...steps, { do: 'fin' }, { do: 'await-end' }, { do: 'close' }];
    }
  }
}

function nodePart(random: Random, conversation: Conversation): PeerStep[] {
  switch (conversation.kind) {
    case 'both':
      return [...sends(random, conversation.bytesMax), { do: 'fin' }, { do: 'await-end' }, { do: 'close' }];
    case 'client-first':
      return [{ do: 'await-end' }, ...sends(random, conversation.bytesMax), { do: 'fin' }, { do: 'close' }];
    case 'node-first':
      return [...sends(random, conversation.bytesMax), { do: 'fin' }, { do: 'await-end' }, { do: 'close' }];
    case 'rounds': {
      const { rounds, requestBytes, responseBytes, greetingBytes } = conversation;
      const steps: PeerStep[] = greetingBytes > 0 ? [sendStep(random, greetingBytes)] : [];
      for (let i = 1; i <= rounds; i++) {
        steps.push({ do: 'await-bytes', bytes: i * requestBytes }, sendStep(random, responseBytes));
      }
      return [...steps, { do: 'fin' }, { do: 'await-end' }, { do: 'close' }];
    }
  }
}

/** The whole stream of one side: one stretch or several, with pauses and urgent bytes between them; or nothing at all. */
function sends(random: Random, bytesMax: number): PeerStep[] {
  const steps: PeerStep[] = [];
  const stretches = random.chance(0.1) ? 0 : random.int(1, 3);
  for (let i = 0; i < stretches; i++) {
    steps.push(sendStep(random, random.size(1, bytesMax)));
    if (random.chance(0.3)) steps.push({ do: 'pause', ms: random.size(1, 50) });
    if (random.chance(0.15)) steps.push({ do: 'urgent' });
  }
  return steps;
}

function sendStep(random: Random, bytes: number): PeerStep {
  const slow = random.chance(0.2);
  return {
    do: 'send',
    bytes,
    chunk: slow ? Math.ceil(bytes / random.int(2, 20)) : bytes,
    everyMs: slow ? random.between(0.1, 3) : 0,
  };
}

/** Some read as fast as they can, some a part every now and then. */
function readingStep(random: Random, conversation: Conversation): PeerStep[] {
  if (random.chance(0.6)) return [];
  // At least a twentieth of a message at a time, or a run would last for simulated hours.
  const bytesMax =
    conversation.kind === 'rounds'
      ? Math.max(conversation.requestBytes, conversation.responseBytes, conversation.greetingBytes)
      : conversation.bytesMax;
  return [{ do: 'reading', chunk: Math.ceil(bytesMax / random.int(1, 20)), everyMs: random.between(0.1, 5) }];
}

/** Cuts the script at some step and ends it in another way. */
function withTrouble(random: Random, script: PeerStep[], troubled: boolean): PeerStep[] {
  if (!troubled) return script;
  const kept = script.slice(0, random.int(0, script.length - 1));
  // What comes in addition is not sent after an FIN.
  const finSent = kept.some((step) => step.do === 'fin');
  return [...kept, ...trouble(random).filter((step) => !finSent || (step.do !== 'send' && step.do !== 'fin'))];
}

function trouble(random: Random): PeerStep[] {
  const pause: PeerStep = { do: 'pause', ms: random.size(1, 100) };
  const notReading: PeerStep = { do: 'reading', chunk: 0, everyMs: 0 };
  return random.pick<PeerStep[]>([
    [{ do: 'reset' }],
    [pause, { do: 'reset' }],
    [{ do: 'close' }],
    // FIN and reset close together.
    [{ do: 'fin' }, { do: 'reset' }],
    [{ do: 'fin' }, { do: 'pause', ms: 1 }, { do: 'reset' }],
    [sendStep(random, random.size(1, 1000)), { do: 'reset' }],
    // Never reads again, and closes with something unread.
    [notReading, pause, { do: 'close' }],
    [notReading, sendStep(random, random.size(1, 1000)), pause, { do: 'close' }],
    [{ do: 'vanish' }],
  ]);
}
