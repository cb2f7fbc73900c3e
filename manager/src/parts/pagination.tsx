// Long lists, a page at a time: what is shown, and the footer to turn the pages with.

import { useState } from 'preact/hooks';

export const PAGE_SIZES = [25, 50, 100] as const;

export interface Paged<T> {
  readonly shown: readonly T[];
  /** of the first item shown, from 0 */
  readonly first: number;
  readonly total: number;
  readonly size: number;
  readonly setFirst: (first: number) => void;
  readonly setSize: (size: number) => void;
}

/** Past the end, when the list has become shorter, it is the last page. */
export function usePaged<T>(items: readonly T[], sizeAtFirst: number = PAGE_SIZES[0]): Paged<T> {
  const [wanted, setFirst] = useState(0);
  const [size, setSize] = useState(sizeAtFirst);
  const total = items.length;
  const lastPage = Math.floor(Math.max(0, total - 1) / size);
  const first = Math.min(Math.floor(wanted / size), lastPage) * size;
  return { shown: items.slice(first, first + size), first, total, size, setFirst, setSize };
}

/** Nothing where everything fits on the smallest page. @param what is turned over: `nodes` */
export function Pager({ paged, what }: { readonly paged: Paged<unknown>; readonly what: string }) {
  const { shown, first, total, size, setFirst, setSize } = paged;
  if (total <= PAGE_SIZES[0]) return null;
  const isLast = first + size >= total;
  return (
    <nav class="pager" aria-label={`Pages of ${what}`}>
      <button type="button" class="button" disabled={first === 0} onClick={() => setFirst(first - size)}>
        Previous
      </button>
      <span role="status">
        {first + 1} – {first + shown.length} of {total} {what}
      </span>
      <button type="button" class="button" disabled={isLast} onClick={() => setFirst(first + size)}>
        Next
      </button>
      <label class="page-size">
        Show{' '}
        <select
          value={size}
          onChange={(event) => setSize(PAGE_SIZES[event.currentTarget.selectedIndex] ?? PAGE_SIZES[0])}
        >
          {PAGE_SIZES.map((choice) => (
            <option key={choice} value={choice}>
              {choice}
            </option>
          ))}
        </select>
      </label>
    </nav>
  );
}
