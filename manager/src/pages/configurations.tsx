// The Configurations tab: an accordion per port, each with the form and one Save that writes everything or nothing.

import { useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { ApiFailure } from '../api/client.ts';
import { createConfig, deleteConfig, getConfig, listConfigs, listNodes, saveConfig } from '../api/nodebalancers.ts';
import { useFrontendState } from '../api/state.ts';
import type { Config, NodeBalancer } from '../api/types.ts';
import { useQuery } from '../api/use-query.ts';
import { bodyOf, type ConfigDraft, draftOf, isSame, newConfig } from '../forms/config-draft.ts';
import { ConfigForm } from '../forms/config-form.tsx';
import { configFields, formErrors } from '../forms/errors.ts';
import { useReadOnlyReason } from '../login.ts';
import { ConfirmDialog } from '../parts/dialog.tsx';
import { EmptyState, FailureNotice, Loading, Notice } from '../parts/notice.tsx';
import { HeaderPreview } from './header-preview.tsx';
import type { TabProps } from './tab.ts';

export function ConfigurationsTab({ nodebalancer, configId }: TabProps) {
  const { data, failure, reload } = useQuery(`configs ${nodebalancer.id}`, () => listConfigs(nodebalancer.id));
  const [isAdding, setAdding] = useState(false);
  const [notice, setNotice] = useState<string>();
  const isReadOnly = useReadOnlyReason() !== undefined;
  if (data === undefined)
    return failure === undefined ? <Loading /> : <FailureNotice failure={failure} onRetry={reload} />;
  const done = (text: string) => {
    setNotice(text);
    setAdding(false);
    reload();
  };
  return (
    <>
      {notice !== undefined && <Notice kind="success">{notice}</Notice>}
      {data.length === 0 && !isAdding && (
        <EmptyState title="No configurations yet">
          <p>A configuration serves one port.</p>
        </EmptyState>
      )}
      {data.map((config) => (
        <ConfigAccordion
          key={config.id}
          nodebalancer={nodebalancer}
          config={config}
          isOpen={config.id === configId || data.length === 1}
          onDone={done}
        />
      ))}
      {isAdding && (
        <NewConfig
          nodebalancer={nodebalancer}
          isFirst={data.length === 0}
          onDone={done}
          onCancel={() => setAdding(false)}
        />
      )}
      {!isAdding && !isReadOnly && (
        <div>
          <button type="button" class="button" onClick={() => setAdding(true)}>
            {data.length === 0 ? 'Add a Configuration' : 'Add Another Configuration'}
          </button>
        </div>
      )}
    </>
  );
}

interface AccordionProps {
  readonly nodebalancer: NodeBalancer;
  readonly config: Config;
  readonly isOpen: boolean;
  readonly onDone: (text: string) => void;
}

function ConfigAccordion({ nodebalancer, config, isOpen, onDone }: AccordionProps) {
  const [wasOpened, setOpened] = useState(isOpen);
  const state = useFrontendState(nodebalancer.label, config.port);
  const { up, down, unknown } = state?.nodes_status ?? { ...config.nodes_status, unknown: 0 };
  return (
    <details class="accordion" open={isOpen} onToggle={(event) => event.currentTarget.open && setOpened(true)}>
      <summary>
        Port {config.port}
        <span class="quiet">
          Backend status: {up} up, {down} down{unknown > 0 ? `, ${unknown} unknown` : ''}
        </span>
      </summary>
      {wasOpened && (
        <div class="accordion-body">
          <ExistingConfig nodebalancer={nodebalancer} config={config} onDone={onDone} />
        </div>
      )}
    </details>
  );
}

async function loadConfig(nodebalancerId: number, configId: number) {
  const [answer, nodes] = await Promise.all([getConfig(nodebalancerId, configId), listNodes(nodebalancerId, configId)]);
  return { draft: draftOf(answer.data, nodes), etag: answer.etag };
}

function ExistingConfig({ nodebalancer, config, onDone }: Omit<AccordionProps, 'isOpen'>) {
  const query = useQuery(`config ${config.id}`, () => loadConfig(nodebalancer.id, config.id));
  const { data, failure, loadAnew } = query;
  const { route } = useLocation();
  const [edited, setEdited] = useState<ConfigDraft>();
  const [saving, setSaving] = useState<{ failure?: ApiFailure; isBusy: boolean }>({ isBusy: false });
  const [isDeleting, setDeleting] = useState(false);
  const state = useFrontendState(nodebalancer.label, config.port);
  const isReadOnly = useReadOnlyReason() !== undefined || query.isStale;
  if (data === undefined)
    return failure === undefined ? <Loading lines={10} /> : <FailureNotice failure={failure} onRetry={loadAnew} />;
  const draft = edited ?? data.draft;
  const hasChanges = edited !== undefined && !isSame(edited, data.draft);
  const errors = formErrors(saving.failure?.errors ?? [], configFields(draft.nodes.length));
  const save = async (event: Event) => {
    event.preventDefault();
    setSaving({ isBusy: true });
    try {
      await saveConfig(nodebalancer.id, config.id, bodyOf(draft), data.etag);
      setSaving({ isBusy: false });
      setEdited(undefined);
      loadAnew();
      onDone('NodeBalancer Configuration updated successfully');
    } catch (error) {
      setSaving({ isBusy: false, failure: asFailure(error) });
    }
  };
  const statusOf = (address: string) => {
    const node = state?.nodes.find((candidate) => candidate.address === address);
    if (node === undefined) return undefined;
    return { state: node.is_ejected ? ('out' as const) : node.health, reason: node.reason, sessions: node.sessions };
  };
  return (
    <form class="config" onSubmit={save} noValidate>
      {saving.failure?.status === 409 && (
        <Conflict
          failure={saving.failure}
          onReload={() => {
            setEdited(undefined);
            setSaving({ isBusy: false });
            loadAnew();
          }}
        />
      )}
      {saving.failure?.status !== 409 &&
        errors.others.map((reason) => (
          <Notice key={reason} kind="error">
            {reason}
          </Notice>
        ))}
      <ConfigForm
        draft={draft}
        onChange={setEdited}
        errors={errors}
        isReadOnly={isReadOnly}
        statusOf={statusOf}
        preview={<HeaderPreview draft={draft} nodebalancer={nodebalancer} />}
      />
      <div class="actions">
        <button type="button" class="button danger" disabled={isReadOnly} onClick={() => setDeleting(true)}>
          Delete
        </button>
        {hasChanges && (
          <button type="button" class="button" onClick={() => setEdited(undefined)}>
            Undo Changes
          </button>
        )}
        <button type="submit" class="button primary" disabled={isReadOnly || saving.isBusy || !hasChanges}>
          Save
        </button>
      </div>
      {isDeleting && (
        <ConfirmDialog
          title={`Delete the configuration of port ${config.port}?`}
          action="Delete"
          onConfirm={async () => {
            await deleteConfig(nodebalancer.id, config.id);
            onDone(`Port ${config.port} was deleted.`);
            route(`/nodebalancers/${nodebalancer.id}/configurations`);
          }}
          onClose={() => setDeleting(false)}
        >
          <p>Port {config.port} closes at once. Connections that run may end by themselves.</p>
        </ConfirmDialog>
      )}
    </form>
  );
}

function Conflict({ failure, onReload }: { readonly failure: ApiFailure; readonly onReload: () => void }) {
  return (
    <Notice kind="warning">
      Nothing was saved: {failure.message} <a href="/history">What was changed</a>.{' '}
      <button type="button" class="link" onClick={onReload}>
        Load what is there now
      </button>
    </Notice>
  );
}

interface NewConfigProps {
  readonly nodebalancer: NodeBalancer;
  readonly isFirst: boolean;
  readonly onDone: (text: string) => void;
  readonly onCancel: () => void;
}

function NewConfig({ nodebalancer, isFirst, onDone, onCancel }: NewConfigProps) {
  const [draft, setDraft] = useState(() => newConfig(isFirst ? '80' : ''));
  const [failure, setFailure] = useState<ApiFailure>();
  const [isBusy, setBusy] = useState(false);
  const errors = formErrors(failure?.errors ?? [], configFields(draft.nodes.length));
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
    <form class="panel" onSubmit={save} noValidate>
      <h2>New Configuration</h2>
      {errors.others.map((reason) => (
        <Notice key={reason} kind="error">
          {reason}
        </Notice>
      ))}
      <ConfigForm
        draft={draft}
        onChange={setDraft}
        errors={errors}
        isReadOnly={false}
        preview={<HeaderPreview draft={draft} nodebalancer={nodebalancer} />}
      />
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

function asFailure(error: unknown): ApiFailure {
  return error instanceof ApiFailure ? error : new ApiFailure(0, [{ reason: String(error) }]);
}
