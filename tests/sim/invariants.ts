// What must hold in every run, whatever the peers and the kernel do. `afterStep` is cheap and runs after every turn of the
// shard; `atEnd` runs once the shard has been closed. Both answer with sentences; none means that all is well.
//
// A peer is clean when no reset was sent by it (or by its kernel for it), it read what it got, and its network never went
// away. A reset that the shard sends to a clean peer with a clean partner has no excuse.

import type { Ledger } from './ledger.ts';
import { formatAddress } from './network.ts';
import type { SimPeer } from './peer.ts';
import type { Scenario } from './scenario.ts';
import type { World } from './world.ts';

/** Sums over a shard's life. Bytes towards the back include headers. */
export interface ShardCounts {
  readonly accepted: number;
  readonly active: number;
  readonly ended: number;
  readonly bytesFromFront: number;
  readonly bytesToFront: number;
  readonly bytesFromBack: number;
  readonly bytesToBack: number;
  readonly headerBytes: number;
  /** sides of which the table has something (a pipe, a spill block, a streak) that their flags deny: it would never be looked up */
  readonly deniedByFlags: number;
}

/** True for sessions that the shard may cut short by right: timeouts, drain, a death in the middle of a step. */
export type Excused = (peer: SimPeer) => boolean;

export class Invariants {
  readonly #world: World;
  readonly #excused: Excused;
  readonly #sawFin = new Set<SimPeer>();

  constructor(world: World, excused: Excused = () => false) {
    this.#world = world;
    this.#excused = excused;
  }

  afterStep(counts: ShardCounts): string[] {
    const { kernel, ledger } = this.#world;
    const found = [...kernel.violations, ...ledger.violations];
    if (counts.accepted !== counts.active + counts.ended) {
      found.push(`accepted ${counts.accepted} is not active ${counts.active} + ended ${counts.ended}`);
    }
    if (counts.deniedByFlags > 0) found.push(`${counts.deniedByFlags} sides hold something that their flags deny`);
    if (counts.bytesToFront > counts.bytesFromBack) found.push('more bytes to fronts than from backs');
    if (counts.bytesToBack > counts.bytesFromFront + counts.headerBytes)
      found.push('more bytes to backs than from fronts');
    for (const peer of this.#world.peers) {
      if (!peer.sawFin || this.#sawFin.has(peer)) continue;
      this.#sawFin.add(peer);
      found.push(...this.#earlyFin(peer, ledger));
    }
    return found;
  }

  /**
   * An end of stream says "that was all": it must be true, and said by the sender. That nothing
   * excuses: what is cut ends with a reset.
   */
  #earlyFin(peer: SimPeer, ledger: Ledger): string[] {
    const partner = ledger.partnerOf(peer);
    if (partner === undefined || partner.end.cut) return [];
    if (!partner.end.finAcked) return [`${peer.name} saw an end of stream that ${partner.name} did not send`];
    return peer.incoming.received === partner.end.deliveredAt
      ? []
      : [`${peer.name} saw the end after ${peer.incoming.received} of ${partner.end.deliveredAt} bytes`];
  }

  atEnd(counts: ShardCounts): string[] {
    const { kernel, ledger, peers, scenario } = this.#world;
    const found = this.afterStep(counts);
    for (const { fd, file } of kernel.openDescriptors()) found.push(`descriptor ${fd} (${file.kind}) was never closed`);
    if (counts.active !== 0) found.push(`${counts.active} sessions are still active`);
    for (const end of kernel.backs) {
      if (!end.mayHaveWaited) continue;
      const node = end.remote === undefined ? 'a node' : formatAddress(end.remote);
      found.push(`a write to ${node} may have waited: there was no TCP_NODELAY before it`);
    }
    for (const peer of peers) {
      if (!peer.finished && !this.#excused(peer)) found.push(`stuck: ${peer.describe()}`);
      found.push(...this.#brokenPromise(peer, ledger), ...this.#lostFin(peer, ledger));
    }
    for (const client of ledger.clients) {
      const partner = ledger.partnerOf(client);
      if (partner !== undefined) found.push(...this.#incompletePair(client, partner));
      else if (isPeaceful(scenario) && isClean(client) && client.sawError !== 0 && !this.#excused(client)) {
        found.push(`${client.name} was turned away (errno ${client.sawError}) although every node is well`);
      }
    }
    return found;
  }

  /** An FIN promises every byte before it, even if the sender's connection is reset after it. */
  #brokenPromise(sender: SimPeer, ledger: Ledger): string[] {
    const receiver = ledger.partnerOf(sender);
    if (receiver === undefined || !sender.end.finAcked || this.#isExcused(sender, receiver)) return [];
    if (!isClean(receiver) || sender.end.cut || sender.end.lingerZero) return [];
    return receiver.incoming.received === sender.end.deliveredAt
      ? []
      : [`${sender.name} ended with FIN, but ${receiver.describe()} of ${sender.end.deliveredAt}`];
  }

  /**
   * A node that has ended its stream has ended it, whatever becomes of its connection then: the
   * client gets an FIN, not a reset.
   */
  #lostFin(node: SimPeer, ledger: Ledger): string[] {
    const client = ledger.partnerOf(node);
    if (node.side !== 'node' || client === undefined || this.#isExcused(node, client)) return [];
    if (!node.end.finAcked || node.end.cut || !isClean(client) || client.end.finReceived) return [];
    return client.sawError === 0 ? [] : [`${node.name} ended with FIN, but ${client.describe()}`];
  }

  #incompletePair(client: SimPeer, node: SimPeer): string[] {
    if (!isClean(client) || !isClean(node) || this.#isExcused(client, node)) return [];
    const found: string[] = [];
    for (const [sender, receiver] of [
      [client, node],
      [node, client],
    ] as const) {
      if (receiver.sawError !== 0) found.push(`${receiver.describe()}: an error, although nobody reset anything`);
      if (receiver.finished && receiver.incoming.received !== sender.sent) {
        found.push(`${receiver.describe()}, but ${sender.name} sent ${sender.sent}`);
      }
    }
    return found;
  }

  #isExcused(peer: SimPeer, partner: SimPeer): boolean {
    return this.#excused(peer) || this.#excused(partner);
  }
}

function isClean(peer: SimPeer): boolean {
  return !peer.end.resetSent && !peer.end.cut && peer.end.tossedBytes === 0;
}

/** Nothing in the scenario is a reason to turn a client away. */
function isPeaceful({ faults, nodes }: Scenario): boolean {
  const allAccept = nodes.every(
    ({ failChance, blackHoleChance, selfChance, troubleChance, schedule }) =>
      failChance + blackHoleChance + selfChance + troubleChance === 0 && schedule === undefined,
  );
  return allAccept && faults.openSocketErrors === 0 && faults.descriptorsMax >= 1024;
}
