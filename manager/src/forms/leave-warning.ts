// What was typed and not saved is not lost by a click beside it.

import { useEffect } from 'preact/hooks';

const QUESTION = 'Leave this page without saving what you changed?';

/** Asks before a link or the browser leaves the page. */
export function useLeaveWarning(hasChanges: boolean): void {
  useEffect(() => {
    if (!hasChanges) return;
    const onClick = (event: MouseEvent) => {
      const link = event.target instanceof Element ? event.target.closest('a[href]') : null;
      const isElsewhere = event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0;
      if (link === null || isElsewhere || link.getAttribute('href')?.startsWith('#') === true) return;
      if (confirm(QUESTION)) return;
      event.preventDefault();
      event.stopPropagation();
    };
    // Back and forward within the page are neither a click nor an unload.
    const onNavigate = (event: NavigateEvent) => {
      if (event.navigationType !== 'traverse' || !event.cancelable || !event.canIntercept) return;
      if (!confirm(QUESTION)) event.preventDefault();
    };
    const onUnload = (event: BeforeUnloadEvent) => event.preventDefault();
    document.addEventListener('click', onClick, true);
    window.addEventListener('beforeunload', onUnload);
    // Not every browser has it.
    window.navigation?.addEventListener('navigate', onNavigate);
    return () => {
      document.removeEventListener('click', onClick, true);
      window.removeEventListener('beforeunload', onUnload);
      window.navigation?.removeEventListener('navigate', onNavigate);
    };
  }, [hasChanges]);
}
