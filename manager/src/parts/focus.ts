// Where the keyboard goes on after something that took the focus: where it was, or the page's heading if that place is no more.

/** So long, what was done may still disable or remove the place: its answer, and the list that is loaded again. */
const SETTLED_MS = 10_000;

/**
 * Gives the focus back to `place`, now or when it is enabled again; to the page's heading once it is removed. Ends as soon as somebody
 * has moved the focus elsewhere.
 */
export function giveFocusBack(place: Element | null): void {
  if (!(place instanceof HTMLElement) || place === document.body) return;
  const settle = () => {
    const { activeElement, body } = document;
    if (activeElement === place) return;
    const isFree = activeElement === null || activeElement === body;
    if (isFree && place.isConnected) {
      // Without effect while it is disabled.
      place.focus({ preventScroll: true });
      return;
    }
    if (isFree) document.querySelector('h1')?.focus({ preventScroll: true });
    observer.disconnect();
    clearTimeout(timer);
  };
  const observer = new MutationObserver(settle);
  observer.observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ['disabled'] });
  const timer = setTimeout(() => observer.disconnect(), SETTLED_MS);
  // A dialog that is about to go makes everything else inert until it has gone.
  queueMicrotask(settle);
}
