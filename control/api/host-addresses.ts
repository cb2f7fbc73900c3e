// The addresses of this machine: which one a new nodebalancer listens on, and which one stands for "every address" in an answer.

import { networkInterfaces } from 'node:os';

const EVERY_IPV4 = '0.0.0.0';
const EVERY_IPV6 = '::';

interface HostAddresses {
  readonly all: ReadonlySet<string>;
  readonly firstIpv4: string;
  /** undefined while IPv6 is not up, or only within the machine */
  readonly firstIpv6: string | undefined;
}

export function hostAddresses(): HostAddresses {
  const infos = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const outside = infos.filter(({ internal, scopeid = 0 }) => !internal && scopeid === 0);
  return {
    all: new Set(infos.map(({ address }) => address)),
    firstIpv4: outside.find(({ family }) => family === 'IPv4')?.address ?? '127.0.0.1',
    firstIpv6: outside.find(({ family }) => family === 'IPv6')?.address,
  };
}

export interface ListenAddresses {
  readonly ipv4: string;
  readonly ipv6: string | null;
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
  const { all, firstIpv6 } = hostAddresses();
  if (requested !== undefined && all.has(requested)) return { ipv4: requested, ipv6: null };
  const free = reserved.find((address) => !address.includes(':') && !taken.has(address));
  if (free !== undefined) return { ipv4: free, ipv6: null };
  return { ipv4: EVERY_IPV4, ipv6: firstIpv6 === undefined ? null : EVERY_IPV6 };
}

/** As the API answers them: an address that a client can connect to. */
export function shownAddresses({ ipv4, ipv6 }: ListenAddresses): ListenAddresses {
  const { firstIpv4, firstIpv6 } = hostAddresses();
  return {
    ipv4: ipv4 === EVERY_IPV4 ? firstIpv4 : ipv4,
    ipv6: ipv6 === EVERY_IPV6 ? (firstIpv6 ?? null) : ipv6,
  };
}
