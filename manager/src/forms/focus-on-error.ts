// After a save that was refused, the keyboard is at the first field that is wrong.

import type { RefObject } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { ApiFailure } from '../api/client.ts';

/** @returns for the form */
export function useFocusOnError(failure: ApiFailure | undefined): RefObject<HTMLFormElement | null> {
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (failure === undefined) return;
    // The frame after the next: until then, a list has turned to the page that has the field.
    let frame = requestAnimationFrame(() => {
      frame = requestAnimationFrame(() => form.current?.querySelector<HTMLElement>('[aria-invalid]')?.focus());
    });
    return () => cancelAnimationFrame(frame);
  }, [failure]);
  return form;
}
