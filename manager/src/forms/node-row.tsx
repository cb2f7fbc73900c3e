// One backend node while it is edited; and, of a node that is in force, its state, why it is so, since when, and its way out.

import { useState } from 'preact/hooks';
import type { NodeState } from '../api/plane.ts';
import { NumberField, SelectField, TextField } from '../parts/fields.tsx';
import { count, NodeChip, StatusChip, Time } from '../parts/show.tsx';
import type { NodeDraft } from './config-draft.ts';
import type { LiveNodes } from './config-form-props.ts';
import { DrainControl } from './drain.tsx';
import type { FormErrors } from './errors.ts';

const MODES = [
  { value: 'accept', text: 'Accept' },
  { value: 'reject', text: 'Reject' },
  { value: 'backup', text: 'Backup' },
  { value: 'drain', text: 'Drain' },
] as const;
const NODE_PROXY_PROTOCOLS = [
  { value: 'config', text: 'As the config' },
  { value: 'none', text: 'None' },
  { value: 'v1', text: 'v1' },
  { value: 'v2', text: 'v2' },
] as const;
const MORE_FIELDS = ['max_connections', 'slow_start', 'proxy_protocol'] as const;

interface NodeRowProps {
  readonly node: NodeDraft;
  readonly index: number;
  readonly errors: FormErrors;
  readonly isReadOnly: boolean;
  readonly live: LiveNodes | undefined;
  readonly onChange: (part: Partial<NodeDraft>) => void;
  readonly onRemove: () => void;
}

export function NodeRow({ node, index, errors, isReadOnly, live, onChange, onRemove }: NodeRowProps) {
  const at = (name: keyof NodeDraft) => errors.at(`nodes[${index}].${name}`);
  const name = node.label || `node ${index + 1}`;
  // As it came: what is typed must not close what it is typed into.
  const [hadMore] = useState(
    node.max_connections !== '0' || node.slow_start !== '0' || node.proxy_protocol !== 'config',
  );
  const state = node.id === undefined ? undefined : live?.place.nodes.find(({ address }) => address === node.address);
  return (
    <fieldset class="node-row" disabled={isReadOnly}>
      <legend class="visually-hidden">Node {node.label || index + 1}</legend>
      <div class="node-label">
        <TextField label="Label" value={node.label} error={at('label')} onChange={(label) => onChange({ label })} />
      </div>
      <div class="node-status">
        <span class="field-name">Status</span>
        {node.id === undefined ? <span class="quiet">New</span> : <KnownStatus state={state} />}
      </div>
      <TextField
        label="IP Address and Port"
        isMono
        value={node.address}
        placeholder="192.168.0.10:80"
        error={at('address')}
        onChange={(address) => onChange({ address })}
      />
      <NumberField
        label="Weight"
        value={node.weight}
        min={1}
        max={255}
        error={at('weight')}
        onChange={(weight) => onChange({ weight })}
      />
      <SelectField
        label="Mode"
        value={node.mode}
        choices={MODES}
        error={at('mode')}
        onChange={(mode) => onChange({ mode })}
      />
      <div class="node-remove">
        <button type="button" class="link danger" onClick={onRemove} aria-label={`Remove ${name}`}>
          Remove
        </button>
      </div>
      {node.id !== undefined && live !== undefined && (
        <div class="node-state">
          {state === undefined ? <span class="quiet">…</span> : <LiveState state={state} live={live} />}
        </div>
      )}
      <details class="node-more" open={hadMore || MORE_FIELDS.some((key) => at(key) !== undefined)}>
        <summary>Limits and header of this node</summary>
        <div class="fields">
          <NumberField
            label="Connections at a time"
            value={node.max_connections}
            min={0}
            max={1_000_000}
            error={at('max_connections')}
            onChange={(max_connections) => onChange({ max_connections })}
            help="0 is no limit; further ones wait in the queue."
          />
          <NumberField
            label="Slow start"
            unit="seconds"
            value={node.slow_start}
            min={0}
            max={3600}
            error={at('slow_start')}
            onChange={(slow_start) => onChange({ slow_start })}
            help="After it comes back, its share grows over this time."
          />
          <SelectField
            label="Proxy Protocol of this node"
            value={node.proxy_protocol}
            choices={NODE_PROXY_PROTOCOLS}
            error={at('proxy_protocol')}
            onChange={(proxy_protocol) => onChange({ proxy_protocol })}
            help="Converts a pool node by node."
          />
        </div>
      </details>
    </fieldset>
  );
}

function LiveState({ state, live }: { readonly state: NodeState; readonly live: LiveNodes }) {
  return (
    <>
      <span class="quiet">
        {state.reason}
        {state.changed !== null && (
          <>
            , since <Time time={state.changed} />
          </>
        )}
        {state.mode !== 'drain' && state.mode !== 'reject' && ` · ${count(state.sessions, 'session')}`}
      </span>
      <DrainControl place={live.place} node={state} blocked={live.blocked} onChanged={live.onChanged} />
    </>
  );
}

function KnownStatus({ state }: { readonly state: NodeState | undefined }) {
  return state === undefined ? <StatusChip state="unknown" /> : <NodeChip node={state} />;
}
