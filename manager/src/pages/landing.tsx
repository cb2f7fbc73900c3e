// All NodeBalancers, one row each.

import { useMemo, useState } from 'preact/hooks';
import { deleteNodeBalancer, overviews } from '../api/nodebalancers.ts';
import type { Overview } from '../api/types.ts';
import { useQuery } from '../api/use-query.ts';
import { useReadOnlyReason } from '../login.ts';
import { ConfirmDialog } from '../parts/dialog.tsx';
import { TextField } from '../parts/fields.tsx';
import { PageHeading } from '../parts/heading.tsx';
import { EmptyState, FailureNotice, Loading } from '../parts/notice.tsx';
import { NodeBalancerTable } from './landing-table.tsx';

const REFRESH_MS = 10_000;
/** From so many on, one is found by name. */
const SEARCH_FROM = 10;

export function LandingPage() {
  const { data, failure, reload } = useQuery(...overviews, REFRESH_MS);
  const [search, setSearch] = useState('');
  const [doomed, setDoomed] = useState<Overview>();
  const isReadOnly = useReadOnlyReason() !== undefined;
  const found = useMemo(() => data?.filter((nodebalancer) => fits(nodebalancer, search)) ?? [], [data, search]);
  return (
    <>
      <div class="page-head">
        <PageHeading title="NodeBalancers" />
        {!isReadOnly && (
          <a class="button primary" href="/nodebalancers/create">
            Create NodeBalancer
          </a>
        )}
      </div>
      {failure !== undefined && data === undefined && <FailureNotice failure={failure} onRetry={reload} />}
      {data === undefined && failure === undefined && <Loading lines={6} />}
      {data?.length === 0 && <NoNodeBalancers isReadOnly={isReadOnly} />}
      {data !== undefined && data.length >= SEARCH_FROM && (
        <div class="fields">
          <TextField label="Search" value={search} onChange={setSearch} placeholder="Label, tag, port or address" />
        </div>
      )}
      {data !== undefined && data.length > 0 && found.length === 0 && (
        <EmptyState title="Nothing found">
          <p>No NodeBalancer has a label, tag, port or address with “{search}”.</p>
        </EmptyState>
      )}
      {found.length > 0 && <NodeBalancerTable nodebalancers={found} isReadOnly={isReadOnly} onDelete={setDoomed} />}
      {doomed !== undefined && (
        <ConfirmDialog
          title={`Delete ${doomed.label}?`}
          action="Delete"
          typed={doomed.label}
          onConfirm={async () => {
            await deleteNodeBalancer(doomed.id);
            reload();
          }}
          onClose={() => setDoomed(undefined)}
        >
          <p>Its ports close at once; connections that run may end by themselves. “History” can bring it back.</p>
        </ConfirmDialog>
      )}
    </>
  );
}

function fits({ label, tags, ipv4, ipv6, configs }: Overview, search: string): boolean {
  const wanted = search.trim().toLowerCase();
  if (wanted === '') return true;
  const texts = [label, ...tags, ipv4, ipv6 ?? '', ...configs.map(({ port }) => String(port))];
  return texts.some((text) => text.toLowerCase().includes(wanted));
}

function NoNodeBalancers({ isReadOnly }: { readonly isReadOnly: boolean }) {
  return (
    <EmptyState title="No NodeBalancers yet">
      <p>A NodeBalancer takes connections at a port and shares them out among nodes.</p>
      {!isReadOnly && (
        <a class="button primary" href="/nodebalancers/create">
          Create NodeBalancer
        </a>
      )}
    </EmptyState>
  );
}
