// Which nodes of a pool may take a new session: computed from what the operator set (mode) and what checks saw (health), which
// are two axes and stay so. Pure; runs when either changes, not per session. Who has been tried is the session's business.

export type NodeMode = 'accept' | 'reject' | 'drain' | 'backup';
export type NodeHealth = 'unknown' | 'up' | 'down';

/**
 * Nodes in mode accept that are not down; only when there is none, nodes in mode backup that are not down. A node nobody has
 * checked yet (unknown) counts as up, or a pool without checks, or just started, would serve nobody.
 *
 * Reject takes no session. Neither does drain: it serves the clients that stickiness has pinned to the node, and until there
 * is stickiness there are none.
 *
 * @param out one byte per node: 1 eligible, 0 not
 * @returns how many are eligible
 */
export function computeEligible(modes: readonly NodeMode[], health: readonly NodeHealth[], out: Uint8Array): number {
  const accepting = markUp('accept', modes, health, out);
  return accepting > 0 ? accepting : markUp('backup', modes, health, out);
}

function markUp(wanted: NodeMode, modes: readonly NodeMode[], health: readonly NodeHealth[], out: Uint8Array): number {
  let count = 0;
  for (let i = 0; i < modes.length; i++) {
    const eligible = modes[i] === wanted && health[i] !== 'down';
    out[i] = eligible ? 1 : 0;
    if (eligible) count++;
  }
  return count;
}
