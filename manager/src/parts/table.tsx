// A table that scrolls within itself where the window is narrow, by keyboard too.

import type { ComponentChildren } from 'preact';

export function TableFrame({ name, children }: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section class="table-wrap" aria-label={name} tabIndex={0}>
      {children}
    </section>
  );
}
