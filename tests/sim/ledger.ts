// Who talks to whom, and whether that may be: one client's stream reaches one node connection only, and that connection's
// stream comes back to this client only. Pairs are made by stream bytes; a header alone makes none, because a retry sends a
// second header to another node. Peers report here, invariants.ts reads.

import { formatAddress } from './network.ts';
import type { SimPeer } from './peer.ts';

/** What a node finds at the beginning of a connection. */
export type HeaderResult =
  | { readonly kind: 'more' }
  | { readonly kind: 'wrong'; readonly why: string }
  /** @param source as `formatAddress` writes it; undefined when the header names nobody (LOCAL, UNKNOWN) */
  | { readonly kind: 'done'; readonly bytes: number; readonly source: string | undefined };

/** Judges the first bytes of a node connection. It gets all that came so far, again and again, until it is done. */
export type HeaderCheck = (received: Uint8Array) => HeaderResult;

/** The streams of node connections have ids from here on; clients have smaller ones. */
const NODE_IDS = 0x8000_0000;

export class Ledger {
  readonly clients: SimPeer[] = [];
  readonly nodePeers: SimPeer[] = [];
  readonly violations: string[] = [];
  readonly #bySource = new Map<string, SimPeer>();
  readonly #partners = new Map<SimPeer, SimPeer>();
  /** By header only, for pairs that never exchanged four bytes. */
  readonly #announced = new Map<SimPeer, SimPeer>();

  nextClientId(): number {
    return this.clients.length + 1;
  }

  nextNodeId(): number {
    return NODE_IDS + this.nodePeers.length + 1;
  }

  addClient(peer: SimPeer): void {
    this.clients.push(peer);
    if (peer.end.local !== undefined) this.#bySource.set(formatAddress(peer.end.local), peer);
  }

  addNodePeer(peer: SimPeer): void {
    this.nodePeers.push(peer);
  }

  violate(what: string): void {
    this.violations.push(what);
  }

  partnerOf(peer: SimPeer): SimPeer | undefined {
    return this.#partners.get(peer) ?? this.#announced.get(peer);
  }

  /** `receiver` has read the id of the stream that it gets. */
  identified(receiver: SimPeer, id: number): void {
    const sender = id < NODE_IDS ? this.clients[id - 1] : this.nodePeers[id - NODE_IDS - 1];
    if (sender === undefined || sender.side === receiver.side) {
      this.violate(`${receiver.name} gets a stream that nobody sends to it: ${id}`);
      return;
    }
    for (const [one, other] of [
      [receiver, sender],
      [sender, receiver],
    ] as const) {
      const known = this.#partners.get(one);
      if (known !== undefined && known !== other) {
        this.violate(`${one.name} is connected to ${known.name} and to ${other.name}`);
      }
      this.#partners.set(one, other);
    }
  }

  /** @returns the id of the stream that must follow the header */
  headerSeen(nodePeer: SimPeer, source: string | undefined): number | undefined {
    if (source === undefined) return undefined;
    const client = this.#bySource.get(source);
    if (client === undefined) {
      this.violate(`${nodePeer.name}: the header names ${source}, which is no client`);
      return undefined;
    }
    this.#announced.set(nodePeer, client);
    return client.streamId;
  }
}
