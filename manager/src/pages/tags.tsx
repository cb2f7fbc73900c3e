// The tags of a NodeBalancer: each change is saved at once.

import { useState } from 'preact/hooks';
import { changeNodeBalancer } from '../api/nodebalancers.ts';
import { useReadOnlyReason } from '../login.ts';
import { TextField } from '../parts/fields.tsx';
import type { TabProps } from './tab.ts';

export function Tags({ nodebalancer, etag, onChanged }: TabProps) {
  const [text, setText] = useState('');
  const [error, setError] = useState<string>();
  const isReadOnly = useReadOnlyReason() !== undefined;
  const save = async (tags: readonly string[]) => {
    setError(undefined);
    try {
      await changeNodeBalancer(nodebalancer.id, { tags }, etag);
      setText('');
      onChanged();
    } catch (failure) {
      setError(failure instanceof Error ? failure.message : String(failure));
    }
  };
  const add = (event: Event) => {
    event.preventDefault();
    void save([...nodebalancer.tags, text.trim()]);
  };
  return (
    <section class="panel">
      <h2>Tags</h2>
      <div class="tags">
        {nodebalancer.tags.map((tag) => (
          <span key={tag} class="tag">
            {tag}
            {!isReadOnly && (
              <button
                type="button"
                class="link"
                aria-label={`Remove tag ${tag}`}
                onClick={() => void save(nodebalancer.tags.filter((other) => other !== tag))}
              >
                ×
              </button>
            )}
          </span>
        ))}
        {nodebalancer.tags.length === 0 && <span class="quiet">None</span>}
      </div>
      {!isReadOnly && (
        <form onSubmit={add} class="form-section">
          <TextField label="New tag" value={text} error={error} onChange={setText} />
          <div>
            <button type="submit" class="button" disabled={text.trim() === ''}>
              Add Tag
            </button>
          </div>
        </form>
      )}
    </section>
  );
}
