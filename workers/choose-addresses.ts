// Which address each node has, out of those that it may have: its own, or the answers for its name. Values in, values out: it looks
// nothing up and remembers nothing.
//
// A node stays where it is for as long as its name has that address and it has not failed there. What leads back to the node's
// own port, or to the API, is no address for it, whatever the machine or a name server says today.

import { formatIp } from '../core/base/ip.ts';
import type { Config, Frontend, Node, NodeBalancer } from '../core/config/model.ts';
import { parseNodeAddress } from '../core/config/node-address.ts';
import { type OwnAddresses, Ways } from '../core/config/own-ports.ts';
import { ownPort } from '../core/config/own-rules.ts';
import { nodeKey } from './planner.ts';

/** What the choice depends on besides the configuration. Nodes are named by `nodeKey`. */
export interface Known {
  readonly own: OwnAddresses;
  /** of a host name, in their order */
  readonly answersOf: (host: string) => readonly Uint8Array[];
  /** where the node is now */
  readonly presentOf: (key: string) => Uint8Array | undefined;
  /** where it is to be next, of the addresses that it may have */
  readonly wantedOf: (key: string) => Uint8Array | undefined;
  /** whether it failed there, and nothing has shown since that it works */
  readonly hasFailed: (key: string, ip: Uint8Array, frontend: Frontend) => boolean;
}

/** What came out for a node. */
export interface Choice {
  readonly nodebalancer: NodeBalancer;
  readonly frontend: Frontend;
  readonly node: Node;
  readonly isLiteral: boolean;
  /** undefined: there is no address for it now */
  readonly ip: Uint8Array | undefined;
  /** all that it may have, in the order of the answers */
  readonly usable: readonly Uint8Array[];
  /** why it may have none of those that it was given: the first of them, with what that is */
  readonly refused: string | undefined;
  /** what the address is, when it is another port of this balancer */
  readonly ownPort: string | undefined;
}

/** A node on its way to an address. */
interface Seeker {
  readonly key: string;
  /** index of its port */
  readonly from: number;
  readonly nodebalancer: NodeBalancer;
  readonly frontend: Frontend;
  readonly node: Node;
  readonly port: number;
  readonly isLiteral: boolean;
  readonly given: readonly Uint8Array[];
}

/** @returns by key, in the order of the configuration */
export function chooseAddresses({ nodebalancers }: Config, known: Known): ReadonlyMap<string, Choice> {
  const places = nodebalancers.flatMap((nodebalancer) =>
    nodebalancer.configs.map((frontend) => ({ nodebalancer, frontend })),
  );
  const ways = new Ways(
    places.map(({ nodebalancer, frontend }) => ownPort(nodebalancer, frontend.port)),
    known.own,
  );
  const seekers = places.flatMap(({ nodebalancer, frontend }, from) =>
    frontend.nodes.map((node) => seekerOf({ nodebalancer, frontend, node, from }, known)),
  );
  const chosen = new Map<string, Uint8Array>();
  // Whoever stays goes first: what is new must not take the way of what is in force.
  for (const isStaying of [true, false]) {
    for (const seeker of seekers) {
      if (stays(seeker, known) !== isStaying) continue;
      const ip = isStaying ? mayHave(ways, seeker, known.presentOf(seeker.key) ?? seeker.given[0]) : undefined;
      const taken = ip ?? nextFor(ways, seeker, known);
      if (taken === undefined) continue;
      ways.take(seeker.from, taken, seeker.port);
      chosen.set(seeker.key, taken);
    }
  }
  return new Map(seekers.map((seeker) => [seeker.key, choiceOf(ways, seeker, chosen.get(seeker.key))]));
}

function seekerOf(place: Pick<Seeker, 'nodebalancer' | 'frontend' | 'node' | 'from'>, { answersOf }: Known): Seeker {
  const { host = '', port = 0, ip } = parseNodeAddress(place.node.address) ?? {};
  const given = ip === undefined ? answersOf(host) : [ip];
  return {
    ...place,
    key: nodeKey(place.nodebalancer, place.frontend, place.node),
    port,
    isLiteral: ip !== undefined,
    given,
  };
}

function stays({ key, given, isLiteral, frontend }: Seeker, { presentOf, wantedOf, hasFailed }: Known): boolean {
  if (isLiteral) return true;
  const present = presentOf(key);
  if (present === undefined || wantedOf(key) !== undefined) return false;
  return includes(given, present) && !hasFailed(key, present, frontend);
}

function mayHave(ways: Ways, { from, port }: Seeker, ip: Uint8Array | undefined): Uint8Array | undefined {
  if (ip === undefined) return undefined;
  const { kind } = ways.look(from, ip, port);
  return kind === 'elsewhere' || kind === 'port' ? ip : undefined;
}

/** The next one in turn where it has not failed; else where it is, also when its name no longer has that. */
function nextFor(ways: Ways, seeker: Seeker, { presentOf, wantedOf, hasFailed }: Known): Uint8Array | undefined {
  const { key, frontend } = seeker;
  const present = presentOf(key);
  const wanted = wantedOf(key);
  const usable = usableOf(ways, seeker);
  if (wanted !== undefined && includes(usable, wanted)) return wanted;
  const isThere = present !== undefined && includes(usable, present);
  const inTurn = isThere ? following(usable, present) : usable;
  const next = inTurn.find((ip) => !hasFailed(key, ip, frontend));
  if (next !== undefined) return next;
  return isThere || usable.length === 0 ? mayHave(ways, seeker, present) : usable[0];
}

function usableOf(ways: Ways, seeker: Seeker): Uint8Array[] {
  return seeker.given.filter((ip) => mayHave(ways, seeker, ip) !== undefined);
}

/** The others, beginning behind this one. */
export function following(ips: readonly Uint8Array[], ip: Uint8Array): Uint8Array[] {
  const index = ips.findIndex((other) => isSame(other, ip));
  return [...ips.slice(index + 1), ...ips.slice(0, Math.max(0, index))];
}

function choiceOf(ways: Ways, seeker: Seeker, ip: Uint8Array | undefined): Choice {
  const { nodebalancer, frontend, node, isLiteral, given, from, port } = seeker;
  const usable = usableOf(ways, seeker);
  const way = ip === undefined ? undefined : ways.look(from, ip, port);
  const [first] = given;
  const refused =
    first === undefined || usable.length > 0
      ? undefined
      : `${formatIp(first, 0)}, ${ways.describe(ways.look(from, first, port))}`;
  const own = way?.kind === 'port' ? ways.describe(way) : undefined;
  return { nodebalancer, frontend, node, isLiteral, ip, usable, refused, ownPort: own };
}

export function isSame(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return Buffer.compare(a, b) === 0;
}

function includes(ips: readonly Uint8Array[], ip: Uint8Array): boolean {
  return ips.some((other) => isSame(other, ip));
}
