// Which nodes of a pool may take a new session: computed from what the operator set (mode) and what checks and sessions saw
// (condition), which are two axes and stay so. Pure; runs when either changes, not per session. Who has been tried, who has no room
// left, is the session's business.

export type NodeMode = 'accept' | 'reject' | 'drain' | 'backup';

/**
 * `up`: as good as known; a node nobody has checked counts as that, or a pool without checks, or just started, would serve nobody.
 * `down`: active checks say so, or it has no address. `out`: ejected after failed connects. `trial`: ejected, and due to be tried.
 */
export type NodeCondition = 'up' | 'down' | 'out' | 'trial';

/** In `eligible`: the node may be tried by one session, which has to claim it first. */
export const ON_TRIAL = 2;

export interface Pool {
  /** one byte per node: 0, 1 or ON_TRIAL: for sessions that a policy places */
  readonly eligible: Uint8Array;
  /** one byte per node, 0 or 1: for sessions of clients that stickiness has pinned to the node */
  readonly pinnable: Uint8Array;
}

/**
 * Nodes in mode accept that are up; only when there is none, nodes in mode backup that are up. When there is none of either, the
 * ejected ones after all, in the same order: where every node has failed, ejecting them all would serve nobody for certain.
 *
 * Reject takes no session; drain only those of pinned clients. A backup keeps its pinned clients no longer than it is needed.
 */
export function computeEligible(modes: readonly NodeMode[], conditions: readonly NodeCondition[], pool: Pool): void {
  const { eligible, pinnable } = pool;
  const isUp: Fits = (index) => conditions[index] === 'up';
  const isNotDown: Fits = (index) => conditions[index] !== 'down';
  let fits = isUp;
  let serving = firstMode(modes, isUp);
  if (serving === undefined) {
    fits = isNotDown;
    serving = firstMode(modes, isNotDown);
  }
  for (const [index, mode] of modes.entries()) {
    const serves = mode === serving && fits(index);
    const mayBeTried = conditions[index] === 'trial' && (mode === 'accept' || mode === serving);
    eligible[index] = serves ? 1 : mayBeTried && serving !== undefined ? ON_TRIAL : 0;
    pinnable[index] = serves || (mode !== 'reject' && mode !== 'backup' && fits(index)) ? 1 : 0;
  }
}

type Fits = (index: number) => boolean;

/** The mode whose nodes serve: backup only when no accepting node fits. */
function firstMode(modes: readonly NodeMode[], fits: Fits): 'accept' | 'backup' | undefined {
  if (modes.some((mode, index) => mode === 'accept' && fits(index))) return 'accept';
  return modes.some((mode, index) => mode === 'backup' && fits(index)) ? 'backup' : undefined;
}
