// A save that came second: who changed what since the form was filled, and the way to it.

import type { ApiFailure } from '../api/client.ts';
import { listRevisions } from '../api/history.ts';
import type { RevisionInfo } from '../api/types.ts';
import { useQuery } from '../api/use-query.ts';
import { Notice } from '../parts/notice.tsx';
import { Time } from '../parts/show.tsx';
import { ChangeList } from './change-list.tsx';

const LOOKED_AT = 20;

interface ConflictProps {
  readonly failure: ApiFailure;
  /** the latest revision when the form was filled */
  readonly seen: number;
  readonly label: string;
  readonly port: number;
  readonly onReload: () => void;
}

export function Conflict({ failure, seen, label, port, onReload }: ConflictProps) {
  const { data } = useQuery(`conflict ${failure.message}`, () => listRevisions(LOOKED_AT));
  const since = (data ?? []).filter(({ revision }) => revision > seen);
  const place = `${label} port ${port}: `;
  const here = since.map((revision) => ({
    ...revision,
    changes: revision.changes.filter((line) => line.startsWith(place)),
  }));
  return (
    <Notice kind="warning">
      <p>Nothing was saved: {failure.message}</p>
      {here
        .filter(({ changes }) => changes.length > 0)
        .map((revision) => (
          <Revision key={revision.revision} revision={revision} />
        ))}
      <p>
        <button type="button" class="link" onClick={onReload}>
          Load what is there now
        </button>{' '}
        and change it again, or look at the whole <a href="/history">History</a>.
      </p>
    </Notice>
  );
}

function Revision({ revision: { revision, author, time, changes } }: { readonly revision: RevisionInfo }) {
  return (
    <section class="conflict" aria-label={`Revision ${revision}`}>
      <p>
        {author}, <Time time={time} />:
      </p>
      <ChangeList changes={changes} />
    </section>
  );
}
