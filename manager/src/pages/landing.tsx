// All NodeBalancers, one row each.

import { useState } from 'preact/hooks';
import { deleteNodeBalancer, listSummaries, type Summary } from '../api/nodebalancers.ts';
import { useQuery } from '../api/use-query.ts';
import { useReadOnlyReason } from '../login.ts';
import { CopyButton } from '../parts/copy.tsx';
import { ConfirmDialog } from '../parts/dialog.tsx';
import { EmptyState, FailureNotice, Loading } from '../parts/notice.tsx';
import { formatBytes } from '../parts/show.tsx';
import { TableFrame } from '../parts/table.tsx';

const REFRESH_MS = 10_000;
const MEGABYTE = 1e6;

type Order = 'label' | 'region';

export function LandingPage() {
  const { data, failure, reload } = useQuery('nodebalancers', listSummaries, REFRESH_MS);
  const [doomed, setDoomed] = useState<Summary>();
  const isReadOnly = useReadOnlyReason() !== undefined;
  return (
    <>
      <div class="page-head">
        <h1>NodeBalancers</h1>
        {!isReadOnly && (
          <a class="button primary" href="/nodebalancers/create">
            Create NodeBalancer
          </a>
        )}
      </div>
      {failure !== undefined && data === undefined && <FailureNotice failure={failure} onRetry={reload} />}
      {data === undefined && failure === undefined && <Loading lines={6} />}
      {data?.length === 0 && <NoNodeBalancers />}
      {data !== undefined && data.length > 0 && (
        <SummaryTable summaries={data} isReadOnly={isReadOnly} onDelete={setDoomed} />
      )}
      {doomed !== undefined && (
        <ConfirmDialog
          title={`Delete ${doomed.nodebalancer.label}?`}
          action="Delete"
          typed={doomed.nodebalancer.label}
          onConfirm={async () => {
            await deleteNodeBalancer(doomed.nodebalancer.id);
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

function NoNodeBalancers() {
  return (
    <EmptyState title="No NodeBalancers yet">
      <p>A NodeBalancer takes connections at a port and shares them out among nodes.</p>
      <a class="button primary" href="/nodebalancers/create">
        Create NodeBalancer
      </a>
    </EmptyState>
  );
}

interface TableProps {
  readonly summaries: readonly Summary[];
  readonly isReadOnly: boolean;
  readonly onDelete: (summary: Summary) => void;
}

function SummaryTable({ summaries, isReadOnly, onDelete }: TableProps) {
  const [order, setOrder] = useState<Order>('label');
  const [isDescending, setDescending] = useState(false);
  const sign = isDescending ? -1 : 1;
  const rows = summaries.toSorted((a, b) => sign * a.nodebalancer[order].localeCompare(b.nodebalancer[order]));
  const sortBy = (key: Order) => {
    setDescending(key === order && !isDescending);
    setOrder(key);
  };
  const head = (key: Order, text: string) => (
    <th scope="col" aria-sort={order === key ? (isDescending ? 'descending' : 'ascending') : 'none'}>
      <button type="button" class="link" onClick={() => sortBy(key)}>
        {text}
      </button>
    </th>
  );
  return (
    <TableFrame name="NodeBalancers">
      <table>
        <thead>
          <tr>
            {head('label', 'Label')}
            <th scope="col">Backend Status</th>
            <th scope="col" class="number">
              Transferred
            </th>
            <th scope="col">Ports</th>
            <th scope="col">IP Address</th>
            {head('region', 'Region')}
            <th scope="col">
              <span class="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((summary) => (
            <SummaryRow key={summary.nodebalancer.id} summary={summary} isReadOnly={isReadOnly} onDelete={onDelete} />
          ))}
        </tbody>
      </table>
    </TableFrame>
  );
}

interface RowProps {
  readonly summary: Summary;
  readonly isReadOnly: boolean;
  readonly onDelete: (summary: Summary) => void;
}

function SummaryRow({ summary, isReadOnly, onDelete }: RowProps) {
  const { nodebalancer, configs } = summary;
  const base = `/nodebalancers/${nodebalancer.id}`;
  const { total } = nodebalancer.transfer;
  return (
    <tr>
      <th scope="row">
        <a href={`${base}/summary`}>{nodebalancer.label}</a>
      </th>
      <td>{backendStatus(configs)}</td>
      <td class="number">{total === null ? formatBytes(0) : formatBytes(total * MEGABYTE)}</td>
      <td>
        <Ports base={base} summary={summary} />
      </td>
      <td>
        {nodebalancer.ipv4} <CopyButton text={nodebalancer.ipv4} what={`the address of ${nodebalancer.label}`} />
      </td>
      <td>{nodebalancer.region}</td>
      <td>
        <div class="row-actions">
          <a href={`${base}/configurations`}>Configurations</a>
          <a href={`${base}/settings`}>Settings</a>
          {!isReadOnly && (
            <button type="button" class="link danger" onClick={() => onDelete(summary)}>
              Delete
            </button>
          )}
        </div>
      </td>
    </tr>
  );
}

/** `3 up - 1 down` */
export function backendStatus(configs: Summary['configs']): string {
  const sum = (key: 'up' | 'down') => configs.reduce((total, config) => total + config.nodes_status[key], 0);
  return `${sum('up')} up - ${sum('down')} down`;
}

export function Ports({ base, summary }: { readonly base: string; readonly summary: Pick<Summary, 'configs'> }) {
  if (summary.configs.length === 0) return <>None</>;
  return (
    <>
      {summary.configs.map(({ id, port }, index) => (
        <span key={id}>
          {index > 0 && ', '}
          <a href={`${base}/configurations/${id}`}>{port}</a>
        </span>
      ))}
    </>
  );
}
