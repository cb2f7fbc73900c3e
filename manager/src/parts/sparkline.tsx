// A small line that says how a number went, within a row of a table. The number itself stands beside it, in words.

const WIDTH = 80;
const HEIGHT = 20;

/** @param values oldest first @param slots how many there can be: the line grows from the right edge */
export function Sparkline({ values, slots }: { readonly values: readonly number[]; readonly slots: number }) {
  const max = Math.max(1, ...values);
  const points = values.map((value, index) => {
    const x = WIDTH - ((values.length - 1 - index) * WIDTH) / (slots - 1);
    const y = HEIGHT - 1 - (value / max) * (HEIGHT - 2);
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  });
  return (
    <svg class="sparkline" width={WIDTH} height={HEIGHT} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">
      <polyline points={points.join(' ')} />
    </svg>
  );
}
