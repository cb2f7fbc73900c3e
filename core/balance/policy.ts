// What every policy is: a choice of one node for one new session. Implementations sit beside this file; one contract test
// (tests/pure/balance/policy-contract.test.ts) runs them all. A policy is built for one list of nodes and one shard, and a new
// list means a new policy, which goes on where the one before it was (turns.ts). It does no I/O, reads no clock, draws no random
// numbers and allocates nothing per choice.

export interface Policy {
  /**
   * Picks a node for a new session and counts the pick as made.
   *
   * `eligible` may differ from call to call in both ways: nodes go down and come back, and a session that retries masks the
   * nodes it has tried for one call. A policy need not be told which it was, and neither may upset later choices.
   *
   * @param eligible one byte per node of the list; not 0 means that the node may take a session now
   * @param client holds the client's address: 16 bytes, IPv4 in its mapped form (core/base/ip.ts)
   * @param clientAt where in `client` the address starts
   * @returns the node's index in the list, or -1 when none is eligible
   */
  choose(eligible: Uint8Array, client: Uint8Array, clientAt: number): number;

  /**
   * From now on a node counts with a share of its weight: one that comes back gets its sessions little by little.
   * @param share more than 0, at most 1
   */
  rescale(index: number, share: number): void;
}

/** What a policy knows of a node. */
export interface PolicyNode {
  /** The same for the same node on every shard, in every process, after every change of the list: its address and port. */
  readonly identity: string;
  /** Its share relative to the other nodes: an integer, at least 1. */
  readonly weight: number;
}
