// The addresses of this machine: which one a new nodebalancer listens on, and which one stands for "every address" in an answer; and
// the names that answers call a nodebalancer on it by.

import { BlockList } from 'node:net';
import { hostname } from 'node:os';
import { monotonicMs } from '../../core/base/clock.ts';
import { canonicalIp } from '../../core/base/ip.ts';
import { machineInterfaces } from '../../workers/machine-addresses.ts';

const EVERY_IPV4 = '0.0.0.0';
const EVERY_IPV6 = '::';

interface HostAddresses {
  readonly all: ReadonlySet<string>;
  /** the networks of loopback devices: Linux takes every address in them for the machine's own */
  readonly loopback: BlockList;
  readonly firstIpv4: string;
  /** undefined while IPv6 is not up, or only within the machine */
  readonly firstIpv6: string | undefined;
}

export function hostAddresses(): HostAddresses {
  const infos = machineInterfaces();
  const loopback = new BlockList();
  for (const { address, cidr, family, internal } of infos) {
    const prefix = Number(cidr?.split('/')[1]);
    if (internal && family === 'IPv4' && Number.isInteger(prefix)) loopback.addSubnet(address, prefix);
  }
  const outside = infos.filter(({ internal, scopeid = 0 }) => !internal && scopeid === 0);
  return {
    all: new Set(infos.map(({ address }) => address)),
    loopback,
    firstIpv4: outside.find(({ family }) => family === 'IPv4')?.address ?? '127.0.0.1',
    firstIpv6: outside.find(({ family }) => family === 'IPv6')?.address,
  };
}

export interface ListenAddresses {
  readonly ipv4: string;
  readonly ipv6: string | null;
}

/** Whether one can listen there. @param floating addresses that the machine need not have @returns undefined, or why not */
export function addressFault(ipv4: string, floating: readonly string[]): string | undefined {
  const { all, loopback } = hostAddresses();
  if (ipv4 === EVERY_IPV4 || all.has(ipv4) || floating.includes(ipv4) || loopback.check(ipv4)) return undefined;
  return `this machine does not have the address ${ipv4}; one that it has at times belongs in BALANCER_FLOATING_ADDRESSES`;
}

/**
 * @param requested the request's `ipv4` @param reserved addresses for new nodebalancers, in order @param taken those that
 * nodebalancers have
 */
export function chooseAddresses(
  requested: string | undefined,
  reserved: readonly string[],
  taken: ReadonlySet<string>,
): ListenAddresses {
  if (requested !== undefined && requested !== EVERY_IPV4) return { ipv4: requested, ipv6: null };
  const free = reserved.find((address) => !address.includes(':') && !taken.has(address));
  if (requested === undefined && free !== undefined) return { ipv4: free, ipv6: null };
  const { firstIpv6 } = hostAddresses();
  return { ipv4: EVERY_IPV4, ipv6: firstIpv6 === undefined ? null : EVERY_IPV6 };
}

/** This machine in answers. */
export interface ShownHost {
  readonly name: string;
  /** what stands for every address: one that a client can connect to */
  readonly ipv4: string;
  readonly ipv6: string | null;
}

/** To ask the system takes as long as the rest of an answer, or two. What is decided, not shown, asks anew: `chooseAddresses`. */
const SHOWN_MS = 1000;

let shown: { readonly host: ShownHost; readonly untilMs: number } | undefined;

/** As it was within the last second. @param steadyMs milliseconds of a clock that nobody sets */
export function shownHost(steadyMs: () => number = monotonicMs): ShownHost {
  const nowMs = steadyMs();
  if (shown === undefined || nowMs >= shown.untilMs) shown = { host: askHost(), untilMs: nowMs + SHOWN_MS };
  return shown.host;
}

function askHost(): ShownHost {
  const { firstIpv4, firstIpv6 } = hostAddresses();
  return { name: hostname(), ipv4: firstIpv4, ipv6: firstIpv6 ?? null };
}

/**
 * As the API answers them. A client that has read an address in a spelling of ours asks for it in its own; there is one that all
 * agree on.
 */
export function shownAddresses({ ipv4, ipv6 }: ListenAddresses, host: ShownHost = shownHost()): ListenAddresses {
  const known = ipv6 === null ? null : (canonicalIp(ipv6) ?? ipv6);
  return {
    ipv4: ipv4 === EVERY_IPV4 ? host.ipv4 : ipv4,
    ipv6: known === EVERY_IPV6 ? host.ipv6 : known,
  };
}

/**
 * Its own for each nodebalancer, also where several share an address: the Kubernetes controller finds its nodebalancer by this name, and
 * would change the ports of another one. By id, because a label may pass to another.
 */
export function shownHostname(id: number, { name }: ShownHost): string {
  return `nb-${id}.${name || 'localhost'}`;
}
