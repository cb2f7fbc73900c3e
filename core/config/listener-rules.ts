// Which listeners would collide: the same address and port twice, or an address and a wildcard on one port. The address
// families never collide with each other, because an IPv6 listener takes IPv6 only.

import { formatEndpoint, formatIp, isIpv4, parseIp } from '../base/ip.ts';
import type { NodeBalancerDraft } from './draft.ts';
import type { Path, Problem } from './problem.ts';

interface Listener {
  /** Canonical text. */
  readonly ip: string;
  readonly isV4: boolean;
  readonly port: number;
  /** Its index. */
  readonly nodebalancer: number;
  readonly path: Path;
}

const WILDCARDS: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

/** What clients of the Linode API say of a port that a nodebalancer has twice. */
const PORT_TWICE = 'Port must be unique amongst TCP / HTTP / HTTPS configurations.';

/** At most one problem per frontend: the others say the same. */
export function listenerProblems(nodebalancers: readonly NodeBalancerDraft[]): Problem[] {
  const byPort = new Map<number, Listener[]>();
  const problems: Problem[] = [];
  for (const [i, nodebalancer] of nodebalancers.entries()) {
    for (const [j, frontend] of (nodebalancer.configs ?? []).entries()) {
      if (frontend.port === undefined) continue;
      const earlier = byPort.get(frontend.port) ?? [];
      const added = listenersOf(nodebalancer, frontend.port, i, ['nodebalancers', i, 'configs', j, 'port']);
      const problem = firstCollision(added, earlier);
      if (problem !== undefined) problems.push(problem);
      byPort.set(frontend.port, [...earlier, ...added]);
    }
  }
  return problems;
}

function listenersOf({ ipv4, ipv6 }: NodeBalancerDraft, port: number, nodebalancer: number, path: Path): Listener[] {
  const addresses = [ipv4, ipv6].map((text) => parseIp(text ?? '')).filter((ip) => ip !== undefined);
  return addresses.map((ip) => ({ ip: formatIp(ip, 0), isV4: isIpv4(ip, 0), port, nodebalancer, path }));
}

function firstCollision(added: readonly Listener[], earlier: readonly Listener[]): Problem | undefined {
  for (const listener of added) {
    const other = earlier.find((candidate) => collide(listener, candidate));
    if (other !== undefined) return collision(listener, other);
  }
  return undefined;
}

function collide(a: Listener, b: Listener): boolean {
  return a.isV4 === b.isV4 && (a.ip === b.ip || WILDCARDS.has(a.ip) || WILDCARDS.has(b.ip));
}

function collision(listener: Listener, other: Listener): Problem {
  const mine = formatEndpoint(listener.ip, listener.port);
  const found = listener.ip === other.ip ? mine : `${mine}, which overlaps ${formatEndpoint(other.ip, other.port)}`;
  const expected = 'an address and port that nothing else listens on';
  const problem: Problem = { path: listener.path, at: 'value', found, expected, also: other.path };
  return listener.nodebalancer === other.nodebalancer ? { ...problem, sentence: PORT_TWICE } : problem;
}
