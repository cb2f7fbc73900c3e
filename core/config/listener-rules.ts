// Which listeners would collide: the same address and port twice, or an address and a wildcard on one port. The address
// families never collide with each other, because an IPv6 listener takes IPv6 only.

import { formatEndpoint, formatIp, isIpv4, parseIp } from '../base/ip.ts';
import type { NodeBalancerDraft } from './draft.ts';
import type { Path, Problem } from './problem.ts';
import type { ProblemList } from './problem-list.ts';

interface Listener {
  /** Canonical text. */
  readonly ip: string;
  readonly isV4: boolean;
  readonly port: number;
  /** Its index. */
  readonly nodebalancer: number;
  /** How many came before it. */
  readonly order: number;
  readonly path: Path;
}

const WILDCARDS: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

/** What clients of the Linode API say of a port that a nodebalancer has twice. */
const PORT_TWICE = 'Port must be unique amongst TCP / HTTP / HTTPS configurations.';

/** The first listeners of one port and family: whoever comes later collides with the earliest of them that overlaps. */
interface Taken {
  any?: Listener;
  wildcard?: Listener;
  readonly byIp: Map<string, Listener>;
}

/** At most one problem per frontend: the others say the same. */
export function judgeListeners(nodebalancers: readonly NodeBalancerDraft[], problems: ProblemList): void {
  const taken = new Map<string, Taken>();
  let order = 0;
  for (const [i, nodebalancer] of nodebalancers.entries()) {
    const ips = ipsOf(nodebalancer);
    for (const [j, { port }] of (nodebalancer.configs ?? []).entries()) {
      if (port === undefined) continue;
      const path: Path = ['nodebalancers', i, 'configs', j, 'port'];
      let isTold = false;
      for (const { ip, isV4 } of ips) {
        const listener = { ip, isV4, port, nodebalancer: i, order: order++, path };
        const other = take(taken, listener);
        if (other !== undefined && !isTold) problems.add(() => collision(listener, other));
        isTold ||= other !== undefined;
      }
    }
  }
}

function ipsOf({ ipv4, ipv6 }: NodeBalancerDraft): readonly Pick<Listener, 'ip' | 'isV4'>[] {
  const addresses = [ipv4, ipv6].map((text) => parseIp(text ?? '')).filter((ip) => ip !== undefined);
  return addresses.map((ip) => ({ ip: formatIp(ip, 0), isV4: isIpv4(ip, 0) }));
}

/** @returns who has it already, the earliest */
function take(taken: Map<string, Taken>, listener: Listener): Listener | undefined {
  const key = `${listener.isV4 ? 4 : 6} ${listener.port}`;
  const place: Taken = taken.get(key) ?? { byIp: new Map() };
  taken.set(key, place);
  const isWildcard = WILDCARDS.has(listener.ip);
  const same = place.byIp.get(listener.ip);
  const other = isWildcard ? place.any : earlier(same, place.wildcard);
  place.any ??= listener;
  if (isWildcard) place.wildcard ??= listener;
  if (same === undefined) place.byIp.set(listener.ip, listener);
  return other;
}

function earlier(a: Listener | undefined, b: Listener | undefined): Listener | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a.order < b.order ? a : b;
}

function collision(listener: Listener, other: Listener): Problem {
  const mine = formatEndpoint(listener.ip, listener.port);
  const found = listener.ip === other.ip ? mine : `${mine}, which overlaps ${formatEndpoint(other.ip, other.port)}`;
  const expected = 'an address and port that nothing else listens on';
  const problem: Problem = { path: listener.path, at: 'value', found, expected, also: other.path };
  return listener.nodebalancer === other.nodebalancer ? { ...problem, sentence: PORT_TWICE } : problem;
}
