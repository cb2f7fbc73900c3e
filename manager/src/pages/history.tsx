// Every change with its author and difference, and the way back to any of them.

import { useState } from 'preact/hooks';
import { get, post } from '../api/client.ts';
import type { RevisionInfo } from '../api/types.ts';
import { useQuery } from '../api/use-query.ts';
import { useReadOnlyReason } from '../login.ts';
import { ConfirmDialog } from '../parts/dialog.tsx';
import { EmptyState, FailureNotice, Loading } from '../parts/notice.tsx';
import { Time } from '../parts/show.tsx';

interface History {
  readonly data: readonly RevisionInfo[];
}

export function HistoryPage() {
  const { data, failure, reload } = useQuery(
    'history',
    async () => (await get<History>('/balancer/v1/history?limit=100')).data,
    5000,
  );
  const [target, setTarget] = useState<RevisionInfo>();
  const isReadOnly = useReadOnlyReason() !== undefined;
  const latest = data?.data[0]?.revision;
  return (
    <>
      <h1>History</h1>
      {failure !== undefined && data === undefined && <FailureNotice failure={failure} onRetry={reload} />}
      {data === undefined && failure === undefined && <Loading lines={6} />}
      {data?.data.length === 0 && (
        <EmptyState title="No changes yet">
          <p>Every change of the configuration is kept here, with who made it.</p>
        </EmptyState>
      )}
      <ol class="history">
        {data?.data.map((revision) => (
          <li key={revision.revision} class="panel">
            <div class="page-head">
              <h2>Revision {revision.revision}</h2>
              <span class="quiet">
                {revision.author}, <Time time={revision.time} />
              </span>
              {!isReadOnly && revision.revision !== latest && (
                <button type="button" class="button" onClick={() => setTarget(revision)}>
                  Roll back to this
                </button>
              )}
            </div>
            <ul>
              {revision.changes.map((change) => (
                <li key={change}>{change}</li>
              ))}
            </ul>
          </li>
        ))}
      </ol>
      {target !== undefined && (
        <ConfirmDialog
          title={`Roll back to revision ${target.revision}?`}
          action="Roll back"
          onConfirm={async () => {
            await post('/balancer/v1/rollback', { revision: target.revision });
            reload();
          }}
          onClose={() => setTarget(undefined)}
        >
          <p>
            The configuration becomes what it was after that change, as a new revision. Nothing in the history is lost.
          </p>
        </ConfirmDialog>
      )}
    </>
  );
}
