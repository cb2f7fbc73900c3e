// The backend nodes of a config while they are edited.

import { useState } from 'preact/hooks';
import { NumberField, SelectField, TextField } from '../parts/fields.tsx';
import { count, StatusChip } from '../parts/show.tsx';
import { type ConfigDraft, type NodeDraft, newNode } from './config-draft.ts';
import type { ConfigFormProps, NodeStatus } from './config-form.tsx';
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
/** rows shown at once: a thousand rows of controls make a page slow */
const PAGE_ROWS = 100;

interface NodeRowsProps extends Pick<ConfigFormProps, 'errors' | 'statusOf'> {
  readonly draft: ConfigDraft;
  readonly onChange: (part: Pick<ConfigDraft, 'nodes'>) => void;
}

export function NodeRows({ draft, onChange, errors, statusOf }: NodeRowsProps) {
  const { nodes } = draft;
  const [shown, setShown] = useState(PAGE_ROWS);
  const replace = (index: number, part: Partial<NodeDraft>) =>
    onChange({ nodes: nodes.map((node, i) => (i === index ? { ...node, ...part } : node)) });
  return (
    <section class="form-section">
      <h3>Backend Nodes</h3>
      {errors.at('nodes') !== undefined && <p class="error">{errors.at('nodes')}</p>}
      {nodes.slice(0, shown).map((node, index) => (
        <NodeRow
          key={node.key}
          node={node}
          index={index}
          errors={errors}
          status={statusOf?.(node.address)}
          onChange={(part) => replace(index, part)}
          onRemove={() => onChange({ nodes: nodes.toSpliced(index, 1) })}
        />
      ))}
      {nodes.length > shown && (
        <button type="button" class="button" onClick={() => setShown(shown + PAGE_ROWS)}>
          Show {Math.min(PAGE_ROWS, nodes.length - shown)} more of {count(nodes.length, 'node')}
        </button>
      )}
      <div>
        <button
          type="button"
          class="button"
          onClick={() => {
            onChange({ nodes: [...nodes, newNode()] });
            setShown(Math.max(shown, nodes.length + 1));
          }}
        >
          Add a Node
        </button>
      </div>
    </section>
  );
}

interface NodeRowProps {
  readonly node: NodeDraft;
  readonly index: number;
  readonly errors: FormErrors;
  readonly status: NodeStatus | undefined;
  readonly onChange: (part: Partial<NodeDraft>) => void;
  readonly onRemove: () => void;
}

function NodeRow({ node, index, errors, status, onChange, onRemove }: NodeRowProps) {
  const at = (name: keyof NodeDraft) => errors.at(`nodes[${index}].${name}`);
  const name = node.label || `node ${index + 1}`;
  const hasMore = node.max_connections !== '0' || node.slow_start !== '0' || node.proxy_protocol !== 'config';
  return (
    <fieldset class="node-row">
      <legend class="visually-hidden">Node {node.label || index + 1}</legend>
      <TextField label="Label" value={node.label} error={at('label')} onChange={(label) => onChange({ label })} />
      <div class="node-status">
        <span class="field-name">Status</span>
        <StatusChip
          state={status?.state ?? 'unknown'}
          {...(status?.reason === undefined ? {} : { reason: status.reason })}
        />
        {status?.sessions !== undefined && <span class="quiet">{sessionsLeft(node, status.sessions)}</span>}
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
      <details
        class="node-more"
        open={
          hasMore ||
          ['max_connections', 'slow_start', 'proxy_protocol'].some((key) => at(key as keyof NodeDraft) !== undefined)
        }
      >
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

/** Of a node that gets no new connections, how many are still to end. */
function sessionsLeft(node: NodeDraft, sessions: number): string {
  const isLeaving = node.mode === 'drain' || node.mode === 'reject';
  return isLeaving ? `${count(sessions, 'session')} left` : count(sessions, 'session');
}
