// The throttle: how many connections a client address may open per second at a nodebalancer, over all its ports and all shards.
// A second begins with a client's first connection. What is too much is reset before it costs a session.

import { IP_BYTES, isIpv4 } from '../base/ip.ts';
import { readSockaddr } from '../linux/sockaddr.ts';
import { countClient } from './client-table.ts';
import { THROTTLE_WINDOW_MS } from './limits.ts';
import type { Frontend, Shard } from './shard.ts';

/** Counts the connection whose client's sockaddr lies at `peerAddressAt`. @returns whether it is one too many */
export function isThrottled(shard: Shard, { plan }: Frontend): boolean {
  const { arena, clientKey, layout, nowMs, settings, throttledClients } = shard;
  readSockaddr(arena, layout.peerAddressAt, clientKey, 0, IP_BYTES);
  if (!isIpv4(clientKey, 0)) maskNetwork(clientKey, settings.throttleIpv6Prefix);
  // A table that could not be asked in time answers less than any limit: rather one connection more than one lost.
  return (
    countClient(throttledClients, plan.throttleRow, clientKey, 0, THROTTLE_WINDOW_MS, plan.throttle, nowMs) >
    plan.throttle
  );
}

/** One household, or one attacker, has a whole network of IPv6 addresses. */
function maskNetwork(address: Uint8Array, prefixBits: number): void {
  for (let i = 0; i < IP_BYTES; i++) {
    const bits = Math.min(8, Math.max(0, prefixBits - i * 8));
    address[i] = (address[i] ?? 0) & (0xff00 >> bits);
  }
}
