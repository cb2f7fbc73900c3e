// What nodes are owed when a frontend's list changes: who stays keeps it, who leaves takes it along, and who comes back brings it. A
// pure function of what was and what is to be. It knows neither the memory that this is kept in (turns.ts) nor any policy.

/** What is owed to the nodes of one list. The credits of all of them sum to 0, but for rounding. */
export interface Standing {
  /** what one session costs: `credit / unit` is in sessions */
  readonly unit: number;
  /** by row of the node; more than 0: its turn is due, less: it has had more than its share */
  readonly credits: ReadonlyMap<number, number>;
}

export interface ListedNode {
  /** the same for as long as it is the same node */
  readonly row: number;
  readonly weight: number;
}

export interface CarriedOver {
  /** of the new list; undefined where nobody is known in it: then it begins from the beginning */
  readonly standing: Standing | undefined;
  /** by row, in sessions: what those who leave take along */
  readonly left: ReadonlyMap<number, number>;
}

/** Sessions that one who was away may still be owed, or owe: who comes back gets no burst. */
const OWED_MAX = 1;

/**
 * What is computed is rounded to multiples of this: nodes that are owed the same by two ways are owed exactly the same then, and their
 * order in the list decides, not a rounding error. A power of two: weights are added to such credits without any.
 */
const QUANTUM = 2 ** -24;

export function quantized(credit: number): number {
  return Math.round(credit / QUANTUM) * QUANTUM;
}

/**
 * A newcomer is owed nothing and owes nothing, as the average of those who stay: it has its first session when its share has grown to
 * one. To begin anew with the whole list was refused: where changes come as often as connections, all of these would go to its
 * first node. To forget who has left was, too: a node that is taken out for a moment at each change would never have its turn.
 *
 * @param before of the old list; undefined where there was none
 * @param owed what a node that was in no list brings along, in sessions; 0 when it is new
 */
export function carryOver(
  before: Standing | undefined,
  nodes: readonly ListedNode[],
  owed: (row: number) => number,
): CarriedOver {
  const unit = before?.unit ?? 1;
  const credits = new Map<number, number>();
  let isKnown = false;
  for (const { row } of nodes) {
    const kept = before?.credits.get(row);
    const credit = kept ?? Math.max(-OWED_MAX, Math.min(owed(row), OWED_MAX)) * unit;
    if (kept !== undefined || credit !== 0) isKnown = true;
    credits.set(row, credit);
  }
  const left = new Map<number, number>();
  for (const [row, credit] of before?.credits ?? []) if (!credits.has(row)) left.set(row, credit / unit);
  return { standing: isKnown ? { unit, credits: balanced(credits, nodes) } : undefined, left };
}

/** What a list is owed as a whole, or owes, because of those who have left or come back, is shared as sessions are: by weight. */
function balanced(credits: Map<number, number>, nodes: readonly ListedNode[]): Map<number, number> {
  let excess = 0;
  for (const credit of credits.values()) excess += credit;
  // Credits that nothing has changed stay as they are.
  if (Math.abs(excess) <= nodes.length * QUANTUM) return credits;
  const total = nodes.reduce((sum, { weight }) => sum + weight, 0);
  for (const { row, weight } of nodes) credits.set(row, quantized((credits.get(row) ?? 0) - (excess * weight) / total));
  return credits;
}
