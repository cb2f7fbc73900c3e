// Another port of a NodeBalancer, with its nodes: made in one write.

import { useState } from 'preact/hooks';
import { type ApiFailure, asFailure } from '../api/client.ts';
import { createConfig } from '../api/nodebalancers.ts';
import type { NodeBalancer } from '../api/types.ts';
import { bodyOf, newConfig } from '../forms/config-draft.ts';
import { ConfigForm } from '../forms/config-form.tsx';
import { formErrors, isConfigField } from '../forms/errors.ts';
import { useFocusOnError } from '../forms/focus-on-error.ts';
import { useLeaveWarning } from '../forms/leave-warning.ts';
import { Notice } from '../parts/notice.tsx';
import { HeaderPreview } from './header-preview.tsx';

interface NewConfigProps {
  readonly nodebalancer: NodeBalancer;
  readonly isFirst: boolean;
  readonly onDone: (text: string) => void;
  readonly onCancel: () => void;
}

export function NewConfig({ nodebalancer, isFirst, onDone, onCancel }: NewConfigProps) {
  const [untouched] = useState(() => newConfig(isFirst ? '80' : ''));
  const [draft, setDraft] = useState(untouched);
  const [failure, setFailure] = useState<ApiFailure>();
  const [isBusy, setBusy] = useState(false);
  const form = useFocusOnError(failure);
  const errors = formErrors(failure, isConfigField(draft));
  useLeaveWarning(draft !== untouched);
  const save = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setFailure(undefined);
    try {
      await createConfig(nodebalancer.id, bodyOf(draft));
      onDone('New NodeBalancer Configuration created successfully');
    } catch (error) {
      setFailure(asFailure(error));
      setBusy(false);
    }
  };
  return (
    <form ref={form} class="panel" onSubmit={save} noValidate>
      <h2>New Configuration</h2>
      <ConfigForm
        draft={draft}
        onChange={setDraft}
        errors={errors}
        isReadOnly={false}
        preview={<HeaderPreview draft={draft} nodebalancer={nodebalancer} />}
      />
      {errors.others.map((reason) => (
        <Notice key={reason} kind="error">
          {reason}
        </Notice>
      ))}
      <div class="actions">
        <button type="button" class="button" onClick={onCancel}>
          Cancel
        </button>
        <button type="submit" class="button primary" disabled={isBusy}>
          Save
        </button>
      </div>
    </form>
  );
}
