// From which local address a check connects, where the operator has chosen addresses: from those that sessions use, in turn as
// they do (core/session/connect.ts). A firewall then judges both alike. Each node has turns of its own: with one turn for all, two
// addresses and two nodes that are checked alternately, each node would only ever see one of the addresses.

import { isIpv4 } from '../../core/base/ip.ts';

export class SourceTurns {
  readonly #ipv4: readonly Uint8Array[];
  readonly #ipv6: readonly Uint8Array[];
  /** by row of the node: how many it has had; there are no more than rows */
  readonly #turns = new Map<number, number>();

  /** @param addresses 16 bytes each; none: the system chooses */
  constructor(addresses: readonly Uint8Array[]) {
    this.#ipv4 = addresses.filter((ip) => isIpv4(ip, 0));
    this.#ipv6 = addresses.filter((ip) => !isIpv4(ip, 0));
  }

  /** @param ip the node's @returns an address of the same family, or undefined: the system chooses */
  next(row: number, ip: Uint8Array): Uint8Array | undefined {
    const addresses = isIpv4(ip, 0) ? this.#ipv4 : this.#ipv6;
    if (addresses.length === 0) return undefined;
    const turn = this.#turns.get(row) ?? 0;
    this.#turns.set(row, turn + 1);
    return addresses[turn % addresses.length];
  }
}
