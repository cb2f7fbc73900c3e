// The label of a NodeBalancer, changed where it stands: beside the heading.

import { useEffect, useRef, useState } from 'preact/hooks';
import type { Answer } from '../api/client.ts';
import { changeNodeBalancer } from '../api/nodebalancers.ts';
import type { NodeBalancer } from '../api/types.ts';
import { useReadOnlyReason } from '../login.ts';
import { TextField } from '../parts/fields.tsx';
import { giveFocusBack } from '../parts/focus.ts';

interface EditorProps {
  readonly answer: Answer<NodeBalancer>;
  readonly onChanged: () => void;
}

/** Where the button will be, as large as it. */
export function LabelEditorPlace() {
  return useReadOnlyReason() === undefined ? (
    <button type="button" class="button small" disabled>
      Edit Label
    </button>
  ) : null;
}

export function LabelEditor({ answer, onChanged }: EditorProps) {
  const { id, label } = answer.data;
  const form = useRef<HTMLFormElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const [text, setText] = useState<string>();
  const [error, setError] = useState<string>();
  const isReadOnly = useReadOnlyReason() !== undefined;
  const isEditing = text !== undefined;
  useEffect(() => {
    if (isEditing) form.current?.querySelector('input')?.select();
  }, [isEditing]);
  if (isReadOnly) return null;
  const close = () => {
    setText(undefined);
    setError(undefined);
    // The button is there again with the next rendering; where the label was changed, another one comes
    // with the answer. That may be quicker than the next frame, and then there is only the heading.
    requestAnimationFrame(() => giveFocusBack(button.current ?? document.querySelector('h1')));
  };
  if (!isEditing) {
    return (
      <button ref={button} type="button" class="button small" onClick={() => setText(label)}>
        Edit Label
      </button>
    );
  }
  const save = async (event: Event) => {
    event.preventDefault();
    if (text === label) return close();
    try {
      await changeNodeBalancer(id, { label: text }, answer.etag);
      close();
      onChanged();
    } catch (failure) {
      setError(failure instanceof Error ? failure.message : String(failure));
    }
  };
  return (
    <form
      ref={form}
      class="label-editor"
      onSubmit={save}
      onKeyDown={(event) => {
        if (event.key === 'Escape') close();
      }}
    >
      <TextField label="Label" isBare value={text} error={error} onChange={setText} />
      <button type="submit" class="button primary">
        Save
      </button>
      <button type="button" class="button" onClick={close}>
        Cancel
      </button>
    </form>
  );
}
