// The backend nodes of a config while they are edited: a page of them at a time, because a thousand rows of controls make a browser slow.

import { useEffect, useRef, useState } from 'preact/hooks';
import { TextField } from '../parts/fields.tsx';
import { Pager, usePaged } from '../parts/pagination.tsx';
import { type ConfigDraft, type NodeDraft, newNode, repeatedLabels } from './config-draft.ts';
import type { ConfigFormProps } from './config-form-props.ts';
import { firstNodeWithError } from './errors.ts';
import { NodeRow } from './node-row.tsx';

const SEARCH_FROM = 25;

interface NodeRowsProps extends Pick<ConfigFormProps, 'errors' | 'isReadOnly' | 'live'> {
  readonly draft: ConfigDraft;
  readonly onChange: (part: Pick<ConfigDraft, 'nodes'>) => void;
}

export function NodeRows({ draft, onChange, errors, isReadOnly, live }: NodeRowsProps) {
  const { nodes } = draft;
  const section = useRef<HTMLElement>(null);
  const [search, setSearch] = useState('');
  const found = nodes.map((node, index) => ({ node, index })).filter(({ node }) => fits(node, search));
  const paged = usePaged(found);
  useEffect(() => {
    const index = firstNodeWithError(errors);
    if (index === undefined) return;
    setSearch('');
    paged.setFirst(index);
  }, [errors.all]);
  const replace = (index: number, part: Partial<NodeDraft>) =>
    onChange({ nodes: nodes.map((node, i) => (i === index ? { ...node, ...part } : node)) });
  const focus = (selector: string) =>
    requestAnimationFrame(() => [...(section.current?.querySelectorAll<HTMLElement>(selector) ?? [])].at(-1)?.focus());
  const add = () => {
    onChange({ nodes: [...nodes, newNode()] });
    setSearch('');
    paged.setFirst(nodes.length);
    focus('.node-row .node-label input');
  };
  const drop = (index: number) => {
    onChange({ nodes: nodes.toSpliced(index, 1) });
    focus('.add-node');
  };
  return (
    <section ref={section} class="form-section">
      <h3>Backend Nodes</h3>
      <LabelWarning draft={draft} />
      {errors.at('nodes') !== undefined && <p class="error">{errors.at('nodes')}</p>}
      {nodes.length > SEARCH_FROM && (
        <div class="fields">
          <TextField label="Search nodes" value={search} onChange={setSearch} placeholder="Label or address" />
        </div>
      )}
      {search !== '' && found.length === 0 && <p class="quiet">No node has a label or address with “{search}”.</p>}
      {paged.shown.map(({ node, index }) => (
        <NodeRow
          key={node.key}
          node={node}
          index={index}
          errors={errors}
          isReadOnly={isReadOnly}
          live={live}
          onChange={(part) => replace(index, part)}
          onRemove={() => drop(index)}
        />
      ))}
      <Pager paged={paged} what="nodes" />
      <div>
        <button type="button" class="button add-node" disabled={isReadOnly} onClick={add}>
          Add a Node
        </button>
      </div>
    </section>
  );
}

const LABELS_NAMED_MAX = 3;

/** No role of a notice: it would be read out anew with each letter of a label that is being typed. */
function LabelWarning({ draft }: Pick<NodeRowsProps, 'draft'>) {
  const labels = repeatedLabels(draft);
  if (labels.length === 0) return null;
  const named = labels.slice(0, LABELS_NAMED_MAX).map((label) => `“${label}”`);
  const others = labels.length - named.length;
  return (
    <p class="notice warning">
      Several nodes have the label {named.join(', ')}
      {others > 0 && ` and ${others} more`}: only their addresses tell them apart.
    </p>
  );
}

function fits({ label, address }: NodeDraft, search: string): boolean {
  const wanted = search.trim().toLowerCase();
  return label.toLowerCase().includes(wanted) || address.toLowerCase().includes(wanted);
}
