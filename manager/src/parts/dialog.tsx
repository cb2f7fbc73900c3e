// A question before something that others would notice. The browser's own modal dialog: it holds the focus and hears Escape.

import type { ComponentChildren, RefObject } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { TextField } from './fields.tsx';
import { giveFocusBack } from './focus.ts';
import { Notice } from './notice.tsx';

interface ConfirmProps {
  readonly title: string;
  readonly children: ComponentChildren;
  /** the words on the button that does it */
  readonly action: string;
  /** what must be typed first */
  readonly typed?: string;
  /** its button does not warn */
  readonly isHarmless?: boolean;
  /** what happened when it failed is shown in the dialog */
  readonly onConfirm: () => Promise<void>;
  readonly onClose: () => void;
}

/** Modal for as long as it is there. When it goes, closed or not, the focus is where it was before. @returns for the dialog */
export function useModal(): RefObject<HTMLDialogElement | null> {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const opener = document.activeElement;
    dialog.current?.showModal();
    return () => giveFocusBack(opener);
  }, []);
  return dialog;
}

export function ConfirmDialog(props: ConfirmProps) {
  const { title, children, action, typed, isHarmless = false, onConfirm, onClose } = props;
  const dialog = useModal();
  const titleId = useId();
  const [text, setText] = useState('');
  const [isBusy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string>();
  const confirm = async (event: Event) => {
    event.preventDefault();
    // The dialog may stand within a form, which must not take this for its own.
    event.stopPropagation();
    setBusy(true);
    setFailure(undefined);
    try {
      await onConfirm();
      onClose();
    } catch (error) {
      setFailure(error instanceof Error ? error.message : String(error));
      setBusy(false);
    }
  };
  return (
    <dialog ref={dialog} class="dialog" aria-labelledby={titleId} onClose={onClose}>
      <form onSubmit={confirm}>
        <h2 id={titleId}>{title}</h2>
        <div class="dialog-body">{children}</div>
        {typed !== undefined && <TextField label={`Type ${typed} to confirm`} value={text} onChange={setText} />}
        {failure !== undefined && <Notice kind="error">{failure}</Notice>}
        <div class="actions">
          <button type="button" class="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button
            type="submit"
            class={isHarmless ? 'button primary' : 'button danger'}
            disabled={isBusy || (typed !== undefined && text !== typed)}
          >
            {action}
          </button>
        </div>
      </form>
    </dialog>
  );
}
