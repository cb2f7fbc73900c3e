// Every change with its author and difference, and the way back to any of them.

import { useState } from 'preact/hooks';
import { post } from '../api/client.ts';
import { listRevisions } from '../api/history.ts';
import type { RevisionInfo } from '../api/types.ts';
import { useQuery } from '../api/use-query.ts';
import { useReadOnlyReason } from '../login.ts';
import { ConfirmDialog } from '../parts/dialog.tsx';
import { PageHeading } from '../parts/heading.tsx';
import { EmptyState, FailureNotice, Loading } from '../parts/notice.tsx';
import { Time } from '../parts/show.tsx';
import { ChangeList } from './change-list.tsx';

const REFRESH_MS = 5000;
const PAGE = 50;

export function HistoryPage() {
  const [limit, setLimit] = useState(PAGE);
  const { data, failure, reload } = useQuery('history', () => listUpTo(limit), REFRESH_MS);
  const [target, setTarget] = useState<RevisionInfo>();
  const isReadOnly = useReadOnlyReason() !== undefined;
  const latest = data?.[0]?.revision;
  const more = () => {
    setLimit(limit + PAGE);
    reload();
  };
  return (
    <>
      <PageHeading title="History" />
      {failure !== undefined && data === undefined && <FailureNotice failure={failure} onRetry={reload} />}
      {data === undefined && failure === undefined && <Loading lines={6} />}
      {data?.length === 0 && (
        <EmptyState title="No changes yet">
          <p>Every change of the configuration is kept here, with who made it.</p>
        </EmptyState>
      )}
      <ol class="history">
        {data?.map((revision) => (
          <li key={revision.revision} class="panel">
            <div class="page-head">
              <div class="heading-line">
                <h2>Revision {revision.revision}</h2>
                <span class="quiet">
                  {revision.author}, <Time time={revision.time} />
                </span>
              </div>
              {revision.revision === latest && <span class="tag">In force</span>}
              {!isReadOnly && revision.revision !== latest && (
                <button
                  type="button"
                  class="button small"
                  aria-label={`Roll back to this: revision ${revision.revision}`}
                  onClick={() => setTarget(revision)}
                >
                  Roll back to this
                </button>
              )}
            </div>
            <ChangeList changes={revision.changes} />
          </li>
        ))}
      </ol>
      {data !== undefined && data.length >= limit && (
        <div>
          <button type="button" class="button" onClick={more}>
            Show older changes
          </button>
        </div>
      )}
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

/** What one request may ask for. */
const REQUEST_MAX = 500;

async function listUpTo(limit: number): Promise<readonly RevisionInfo[]> {
  const revisions = [...(await listRevisions(Math.min(limit, REQUEST_MAX)))];
  while (revisions.length < limit) {
    const older = await listRevisions(Math.min(limit - revisions.length, REQUEST_MAX), revisions.at(-1)?.revision);
    if (older.length === 0) break;
    revisions.push(...older);
  }
  return revisions;
}
