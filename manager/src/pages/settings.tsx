// Label, throttle, and the end of a NodeBalancer.

import { useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { type ApiFailure, asFailure } from '../api/client.ts';
import { changeNodeBalancer, deleteNodeBalancer } from '../api/nodebalancers.ts';
import { formErrors } from '../forms/errors.ts';
import { useReadOnlyReason } from '../login.ts';
import { ConfirmDialog } from '../parts/dialog.tsx';
import { NumberField, TextField } from '../parts/fields.tsx';
import { Notice } from '../parts/notice.tsx';
import type { TabProps } from './tab.ts';

export function SettingsTab(props: TabProps) {
  const { nodebalancer } = props;
  const { route } = useLocation();
  const [isDeleting, setDeleting] = useState(false);
  const isReadOnly = useReadOnlyReason() !== undefined;
  return (
    <>
      <OneField {...props} name="label" title="NodeBalancer Label" field="label" />
      <OneField {...props} name="connection throttle" title="Client Connection Throttle" field="client_conn_throttle" />
      <section class="panel">
        <h2>Delete NodeBalancer</h2>
        <p>Its ports close at once. Connections that run may end by themselves.</p>
        <div>
          <button type="button" class="button danger" disabled={isReadOnly} onClick={() => setDeleting(true)}>
            Delete
          </button>
        </div>
      </section>
      {isDeleting && (
        <ConfirmDialog
          title={`Delete ${nodebalancer.label}?`}
          action="Delete"
          typed={nodebalancer.label}
          onConfirm={async () => {
            await deleteNodeBalancer(nodebalancer.id);
            route('/nodebalancers');
          }}
          onClose={() => setDeleting(false)}
        >
          <p>All its configurations and nodes go with it. “History” can bring it back.</p>
        </ConfirmDialog>
      )}
    </>
  );
}

interface OneFieldProps extends TabProps {
  readonly name: string;
  readonly title: string;
  readonly field: 'label' | 'client_conn_throttle';
}

/** A field with a Save of its own. */
function OneField({ nodebalancer, etag, onChanged, name, title, field }: OneFieldProps) {
  const [value, setValue] = useState(String(nodebalancer[field]));
  const [failure, setFailure] = useState<ApiFailure>();
  const [isSaved, setSaved] = useState(false);
  const isReadOnly = useReadOnlyReason() !== undefined;
  const errors = formErrors(failure, (name) => name === field);
  const save = async (event: Event) => {
    event.preventDefault();
    setFailure(undefined);
    setSaved(false);
    try {
      const sent = field === 'label' || value.trim() === '' ? value : Number(value);
      await changeNodeBalancer(nodebalancer.id, { [field]: sent }, etag);
      setSaved(true);
      onChanged();
    } catch (error) {
      setFailure(asFailure(error));
    }
  };
  return (
    <form class="panel" onSubmit={save}>
      <h2>{title}</h2>
      {isSaved && <Notice kind="success">Saved.</Notice>}
      {errors.others.map((reason) => (
        <Notice key={reason} kind="error">
          {reason}
        </Notice>
      ))}
      <div class="fields">
        {field === 'label' ? (
          <TextField label="Label" value={value} isDisabled={isReadOnly} error={errors.at(field)} onChange={setValue} />
        ) : (
          <NumberField
            label={title}
            unit="/ second"
            min={0}
            max={20}
            value={value}
            isDisabled={isReadOnly}
            error={errors.at(field)}
            onChange={setValue}
            help="New connections of one client address; 0 is no limit. Excess is reset at once."
          />
        )}
      </div>
      <div>
        <button type="submit" class="button primary" disabled={isReadOnly || value === String(nodebalancer[field])}>
          Save {name}
        </button>
      </div>
    </form>
  );
}
