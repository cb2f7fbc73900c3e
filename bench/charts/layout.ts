// Where things go on a picture: ticks of logarithmic axes, labels at line ends that must not cover each other. Values in, values
// out; nothing here knows what is drawn.

const STEPS = [1, 2, 5] as const;

/** 1, 2, 5, 10, 20 … around all of `values`: the first is not above the smallest, the last not below the greatest. */
export function logTicks(values: readonly number[]): number[] {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const first = Math.floor(Math.log10(low));
  const last = Math.ceil(Math.log10(high));
  const all: number[] = [];
  // From the exponent's text, because 10 ** -3 * 5 is not 0.005.
  for (let exponent = first; exponent <= last; exponent++)
    all.push(...STEPS.map((step) => Number(`${step}e${exponent}`)));
  const from = all.findLastIndex((tick) => tick <= low);
  const to = all.findIndex((tick) => tick >= high);
  return all.slice(Math.max(0, from), Math.max(to, from + 1) + 1);
}

/**
 * Positions at least `gap` apart within `from..to`, each as near to its own as the others allow, in the order given. Where all of
 * them do not fit they are closer than that at the lower end.
 */
export function spreadApart(positions: readonly number[], gap: number, from: number, to: number): number[] {
  const order = positions.map((position, index) => ({ position, index })).sort((a, b) => a.position - b.position);
  let floor = from;
  for (const item of order) {
    item.position = Math.max(item.position, floor);
    floor = item.position + gap;
  }
  let ceiling = to;
  for (const item of order.toReversed()) {
    item.position = Math.max(from, Math.min(item.position, ceiling));
    ceiling = item.position - gap;
  }
  return order.sort((a, b) => a.index - b.index).map(({ position }) => position);
}
