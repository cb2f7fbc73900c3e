// What a configuration says of nodes that are the balancer itself: a way back to a node's own port, and the API, are refused; a way to
// another port is remarked upon. Only addresses are judged: what a name stands for is known when it is looked up.

import { formatEndpoint, formatIp, parseIp } from '../base/ip.ts';
import { FRONTENDS_MAX, NODES_MAX } from './limits.ts';
import { parseNodeAddress } from './node-address.ts';
import { type OwnAddresses, type OwnPort, type Way, Ways } from './own-ports.ts';
import { type Path, type Problem, quote } from './problem.ts';

/** The part of a nodebalancer that is looked at; of a draft any of it may be missing. */
interface Served {
  readonly label?: string;
  readonly ipv4?: string;
  readonly ipv6?: string | null;
  readonly configs?: readonly { readonly port?: number; readonly nodes?: readonly { readonly address?: string }[] }[];
}

/** A node whose address is the balancer's own. */
interface OwnNode {
  readonly path: Path;
  /** as written */
  readonly text: string;
  readonly way: Way;
  /** the way in words */
  readonly words: string;
  /** the same for the same node of the same port, whatever else changes */
  readonly key: string;
}

/** What is refused. Of a circle the node that closes it, in the order of the configuration. */
export interface OwnProblem {
  readonly describe: () => Problem;
  readonly key: string;
}

export function ownProblems(nodebalancers: readonly Served[], own: OwnAddresses): OwnProblem[] {
  return ownNodes(nodebalancers, own).flatMap(({ path, text, way, words, key }) => {
    if (way.kind === 'port') return [];
    const expected = way.kind === 'api' ? ELSEWHERE : 'a node that does not lead back to its own port';
    return [{ describe: () => ({ path, at: 'value', found: `${quote(text)} (${words})`, expected }), key }];
  });
}

/** Allowed, and rarely meant. */
export function ownRemarks(
  nodebalancers: readonly Served[],
  own: OwnAddresses,
): { readonly path: Path; readonly text: string }[] {
  return ownNodes(nodebalancers, own).flatMap(({ path, text, way, words }) =>
    way.kind === 'port' ? [{ path, text: `${text} is ${words}: ${TWICE}` }] : [],
  );
}

const ELSEWHERE = 'another address, or the API at another (BALANCER_ADMIN_ADDRESS)';
export const TWICE = 'each connection to it takes two sessions';

function ownNodes(nodebalancers: readonly Served[], own: OwnAddresses): OwnNode[] {
  const frontends = nodebalancers.flatMap((nodebalancer, i) =>
    (nodebalancer.configs ?? []).map((frontend, j) => ({
      nodebalancer,
      frontend,
      path: ['nodebalancers', i, 'configs', j],
    })),
  );
  // What has more is refused for that, and would only cost time here.
  const nodeCount = frontends.reduce((sum, { frontend }) => sum + (frontend.nodes?.length ?? 0), 0);
  if (frontends.length > FRONTENDS_MAX || nodeCount > NODES_MAX) return [];
  const ports = frontends.map(({ nodebalancer, frontend }) => ownPort(nodebalancer, frontend.port));
  const ways = new Ways(ports, own);
  return frontends.flatMap(({ nodebalancer, frontend, path }, from) =>
    (frontend.nodes ?? []).flatMap(({ address: text = '' }, index): OwnNode[] => {
      const address = parseNodeAddress(text);
      if (address?.ip === undefined) return [];
      const way = ways.take(from, address.ip, address.port);
      if (way.kind === 'elsewhere') return [];
      const key = `${nodebalancer.ipv4} ${frontend.port}/${formatEndpoint(formatIp(address.ip, 0), address.port)}`;
      return [{ path: [...path, 'nodes', index, 'address'], text, way, words: ways.describe(way), key }];
    }),
  );
}

/** A port of a nodebalancer as the ways see it. Of what is bad nothing listens. */
export function ownPort({ label, ipv4, ipv6 }: Served, port: number | undefined): OwnPort {
  const ips = [ipv4, ipv6].map((text) => parseIp(text ?? '')).filter((ip) => ip !== undefined);
  return { name: `${label ?? 'a nodebalancer'} port ${port ?? '?'}`, ips, port: port ?? 0 };
}
