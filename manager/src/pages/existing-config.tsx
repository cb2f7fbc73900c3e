// One port's configuration as it is, edited and saved in one write; deleted; and its nodes drained, which is in force at once.

import { useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { type ApiFailure, asFailure } from '../api/client.ts';
import type { Question } from '../api/early.ts';
import { latestRevision } from '../api/history.ts';
import { deleteConfig, getConfig, listNodes, saveConfig } from '../api/nodebalancers.ts';
import type { FrontendState } from '../api/plane.ts';
import type { Config, NodeBalancer } from '../api/types.ts';
import { useQuery } from '../api/use-query.ts';
import { bodyOf, type ConfigDraft, draftOf, isSame } from '../forms/config-draft.ts';
import { ConfigForm } from '../forms/config-form.tsx';
import { formErrors, isConfigField } from '../forms/errors.ts';
import { useFocusOnError } from '../forms/focus-on-error.ts';
import { useLeaveWarning } from '../forms/leave-warning.ts';
import { useReadOnlyReason } from '../login.ts';
import { ConfirmDialog } from '../parts/dialog.tsx';
import { FailureNotice, Loading, Notice } from '../parts/notice.tsx';
import { Conflict } from './conflict.tsx';
import { HeaderPreview } from './header-preview.tsx';

interface ExistingProps {
  readonly nodebalancer: NodeBalancer;
  readonly config: Config;
  /** undefined while the data plane does not know it */
  readonly state: FrontendState | undefined;
  /** something was written; with words where this form is gone with it */
  readonly onDone: (text?: string) => void;
}

/** How the last save went. */
interface Saving {
  readonly isBusy: boolean;
  readonly isDone?: boolean;
  readonly failure?: ApiFailure;
}

const UNSAVED = 'Save or undo your changes first.';
const CONFLICT = 409;

interface Filled {
  readonly draft: ConfigDraft;
  readonly etag: string | null;
  /** the latest one when the form was filled */
  readonly revision: number;
}

export const formOf = (nodebalancerId: number, configId: number): Question<Filled> => [
  `config ${configId}`,
  () => load(nodebalancerId, configId),
];

async function load(nodebalancerId: number, configId: number): Promise<Filled> {
  const [revision, answer, nodes] = await Promise.all([
    latestRevision(),
    getConfig(nodebalancerId, configId),
    listNodes(nodebalancerId, configId),
  ]);
  return { draft: draftOf(answer.data, nodes), etag: answer.etag, revision };
}

export function ExistingConfig({ nodebalancer, config, state, onDone }: ExistingProps) {
  const query = useQuery(...formOf(nodebalancer.id, config.id));
  const { data, failure, loadAnew } = query;
  const { route } = useLocation();
  const [edited, setEdited] = useState<ConfigDraft>();
  const [saving, setSaving] = useState<Saving>({ isBusy: false });
  const [isDeleting, setDeleting] = useState(false);
  const isReadOnly = useReadOnlyReason() !== undefined || query.isStale;
  const form = useFocusOnError(saving.failure);
  const draft = edited ?? data?.draft;
  const hasChanges = edited !== undefined && data !== undefined && !isSame(edited, data.draft);
  useLeaveWarning(hasChanges);
  if (data === undefined || draft === undefined)
    return failure === undefined ? (
      <Loading lines={10} isTall />
    ) : (
      <FailureNotice failure={failure} onRetry={loadAnew} />
    );
  const errors = formErrors(saving.failure, isConfigField(draft));
  const undo = () => {
    setEdited(undefined);
    setSaving({ isBusy: false });
  };
  const save = async (event: Event) => {
    event.preventDefault();
    setSaving({ isBusy: true });
    try {
      await saveConfig(nodebalancer.id, config.id, bodyOf(draft), data.etag);
      setSaving({ isBusy: false, isDone: true });
      setEdited(undefined);
      loadAnew();
      onDone();
    } catch (error) {
      setSaving({ isBusy: false, failure: asFailure(error) });
    }
  };
  const change = (next: ConfigDraft) => {
    setEdited(next);
    if (saving.isDone === true) setSaving({ isBusy: false });
  };
  return (
    <form ref={form} class="config" onSubmit={save} noValidate>
      <ConfigForm
        draft={draft}
        onChange={change}
        errors={errors}
        isReadOnly={isReadOnly}
        live={{
          place: { nodebalancerId: nodebalancer.id, configId: config.id, nodes: state?.nodes ?? [] },
          blocked: hasChanges ? UNSAVED : undefined,
          onChanged: loadAnew,
        }}
        preview={<HeaderPreview draft={draft} nodebalancer={nodebalancer} />}
      />
      {saving.isDone === true && !hasChanges && (
        <Notice kind="success">NodeBalancer Configuration updated successfully</Notice>
      )}
      {saving.failure?.status === CONFLICT ? (
        <Conflict
          failure={saving.failure}
          seen={data.revision}
          label={nodebalancer.label}
          port={config.port}
          onReload={() => {
            undo();
            loadAnew();
          }}
        />
      ) : (
        errors.others.map((reason) => (
          <Notice key={reason} kind="error">
            {reason}
          </Notice>
        ))
      )}
      <div class="actions">
        <button type="button" class="button danger" disabled={isReadOnly} onClick={() => setDeleting(true)}>
          Delete
        </button>
        {hasChanges && (
          <button type="button" class="button" onClick={undo}>
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
