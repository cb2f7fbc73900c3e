// Whose turn it is among the nodes of each frontend, by row, in memory that outlives any list of nodes and the thread of its shard:
// a policy goes on where the one before it was. It owns the cells, and turns what each policy keeps there into credits, which all
// of them understand; who is owed what after a change is told in carry-over.ts. All zero: nobody has had a turn.

import { carryOver, type ListedNode, quantized, type Standing } from './carry-over.ts';

/** One shard's own: shards share no cursor. */
export interface Turns {
  /** by row of a node: what it is owed, by the form of its list; of a node in no list, in sessions */
  readonly credit: Float64Array;
  /** by row of a frontend: CREDITS: what one session costs, CIRCLE: the seat where the next look begins */
  readonly cursor: Float64Array;
  /** by row of a node: 1 + the row of the frontend in whose list it is; 0: in none */
  readonly holder: Int32Array;
  /** by row of a node: its place among those of its list, which decides where two are owed the same */
  readonly place: Int32Array;
  /** by row of a node, in a CIRCLE: its index in the list that the policy was given */
  readonly seat: Int32Array;
  /** by row of a frontend: what its policy keeps */
  readonly form: Int32Array;
}

/** Nobody has begun, or a thread died while it wrote the cells. */
const NOTHING = 0;
/** What each node is owed now, in a unit of the list's own. */
const CREDITS = 1;
/** Nodes are looked at in the order of their seats, round and round. Credits are of the time when that began, in sessions. */
const CIRCLE = 2;

/** Where a policy keeps whose turn it is. */
export interface Seats {
  readonly turns: Turns;
  /** the frontend's row */
  readonly frontend: number;
  /** of the nodes, by their index in the policy's list */
  readonly rows: readonly number[];
}

const F64 = Float64Array.BYTES_PER_ELEMENT;
const I32 = Int32Array.BYTES_PER_ELEMENT;

export function turnsBytes(frontends: number, nodes: number): number {
  return (frontends + nodes) * F64 + (frontends + 3 * nodes) * I32;
}

/** @param memory `turnsBytes(frontends, nodes)` bytes, zero-filled at first */
export function createTurns(memory: SharedArrayBuffer, frontends: number, nodes: number): Turns {
  const integersAt = (frontends + nodes) * F64;
  return {
    credit: new Float64Array(memory, 0, nodes),
    cursor: new Float64Array(memory, nodes * F64, frontends),
    holder: new Int32Array(memory, integersAt, nodes),
    place: new Int32Array(memory, integersAt + nodes * I32, nodes),
    seat: new Int32Array(memory, integersAt + 2 * nodes * I32, nodes),
    form: new Int32Array(memory, integersAt + 3 * nodes * I32, frontends),
  };
}

/** For a policy that nobody is to go on from. */
export function ownSeats(nodes: number): Seats {
  const turns = createTurns(new SharedArrayBuffer(turnsBytes(1, nodes)), 1, nodes);
  return { turns, frontend: 0, rows: Array.from({ length: nodes }, (_, index) => index) };
}

/** The one cell of a frontend's cursor. */
export function cursorOf({ turns, frontend }: Seats): Float64Array {
  return turns.cursor.subarray(frontend, frontend + 1);
}

/** Whether it is for the policy to say where its list begins. */
export function isUntaken({ turns, frontend }: Seats): boolean {
  return turns.form[frontend] === NOTHING;
}

/** Nobody is owed anything yet. @param sessionCost in the unit of the credits to come */
export function beginCredits({ turns, frontend, rows }: Seats, sessionCost: number): void {
  for (const row of rows) turns.credit[row] = 0;
  turns.cursor[frontend] = Math.max(1, sessionCost);
  turns.form[frontend] = CREDITS;
}

/** From no credits, or from those in the cells. @param from the seat where the next look begins */
export function beginCircle(seats: Seats, from: number): void {
  const { turns, frontend, rows } = seats;
  const unit = isUntaken(seats) ? 1 : (turns.cursor[frontend] ?? 1);
  turns.form[frontend] = NOTHING;
  for (const [index, row] of rows.entries()) {
    turns.credit[row] = (turns.credit[row] ?? 0) / unit;
    turns.seat[row] = index;
  }
  turns.cursor[frontend] = from;
  turns.form[frontend] = CIRCLE;
}

/**
 * A frontend gets another list or another policy, or a successor takes over what it finds. Afterwards the cells hold the credits of the
 * new list, or NOTHING where it begins from the beginning.
 * @returns the nodes in their places: who stays stays before whom it was before, however the list was sorted
 */
export function carryTurns<T extends ListedNode>(turns: Turns, frontend: number, nodes: readonly T[]): readonly T[] {
  const { credit, form, holder } = turns;
  const before = rowsInPlace(turns, frontend);
  const rank = new Map(before.map((row, index) => [row, index]));
  const rankOf = ({ row }: T) => rank.get(row) ?? before.length;
  const inPlace = nodes.toSorted((a, b) => rankOf(a) - rankOf(b));
  const owed = (row: number) => (holder[row] === 0 ? (credit[row] ?? 0) : 0);
  const { standing, left } = carryOver(readStanding(turns, frontend, before), nodes, owed);
  // A thread that dies from here on leaves NOTHING, not a mixture.
  form[frontend] = NOTHING;
  leave(turns, before, left);
  takePlaces(turns, frontend, inPlace, standing);
  if (standing !== undefined) form[frontend] = CREDITS;
  return inPlace;
}

/** @param left by row, in sessions: what is kept of those who do not come again at once */
function leave({ credit, holder }: Turns, rows: readonly number[], left: ReadonlyMap<number, number>): void {
  for (const row of rows) {
    credit[row] = left.get(row) ?? 0;
    holder[row] = 0;
  }
}

function takePlaces(turns: Turns, frontend: number, nodes: readonly ListedNode[], standing?: Standing): void {
  const { credit, cursor, holder, place } = turns;
  for (const [index, { row }] of nodes.entries()) {
    credit[row] = standing?.credits.get(row) ?? 0;
    holder[row] = frontend + 1;
    place[row] = index;
  }
  cursor[frontend] = standing?.unit ?? 1;
}

/** Those that are owed most come first. The cells hold the credits of these nodes, or NOTHING. @param nodes in their places */
export function dueFirst<T extends ListedNode>({ credit }: Turns, nodes: readonly T[]): readonly T[] {
  return nodes.toSorted((a, b) => (credit[b.row] ?? 0) - (credit[a.row] ?? 0));
}

/** Of the nodes in a frontend's list, in their places. */
function rowsInPlace({ holder, place }: Turns, frontend: number): number[] {
  const rows: number[] = [];
  for (let row = 0; row < holder.length; row++) if (holder[row] === frontend + 1) rows.push(row);
  return rows.sort((a, b) => (place[a] ?? 0) - (place[b] ?? 0));
}

/** What the nodes of a frontend's list are owed. @returns undefined when that is not known */
function readStanding(turns: Turns, frontend: number, rows: readonly number[]): Standing | undefined {
  const { credit, form } = turns;
  const cursor = turns.cursor[frontend] ?? 0;
  if (form[frontend] === CIRCLE) return standingOfCircle(turns, rows, cursor);
  if (form[frontend] !== CREDITS) return undefined;
  return { unit: cursor, credits: new Map(rows.map((row) => [row, credit[row] ?? 0])) };
}

/**
 * Who has been passed in the present round has had a session of it, or has let its turn go by, and the others have not; all are owed
 * their share of those that were given out. It is what round robin would say, where the weights are equal.
 */
function standingOfCircle({ credit, seat }: Turns, rows: readonly number[], from: number): Standing {
  const share = from / Math.max(1, rows.length);
  const creditOf = (row: number) => (credit[row] ?? 0) + share - ((seat[row] ?? 0) < from ? 1 : 0);
  return { unit: 1, credits: new Map(rows.map((row) => [row, quantized(creditOf(row))])) };
}

/** Rows for their next owners: nothing is owed to them. */
export function clearTurns({ credit, holder }: Turns, rows: ReadonlySet<number>): void {
  for (const row of rows) {
    credit[row] = 0;
    holder[row] = 0;
  }
}
