// The table of the landing page: sorted by its heads, a page at a time.

import { useMemo, useState } from 'preact/hooks';
import type { Overview } from '../api/types.ts';
import { CopyButton } from '../parts/copy.tsx';
import { sortedNaturally } from '../parts/natural-order.ts';
import { Pager, usePaged } from '../parts/pagination.tsx';
import { backendStatus, Ports } from '../parts/ports.tsx';
import { formatMegabytes } from '../parts/show.tsx';
import { TableFrame } from '../parts/table.tsx';

type Order = 'label' | 'region';

interface TableProps {
  readonly nodebalancers: readonly Overview[];
  readonly isReadOnly: boolean;
  readonly onDelete: (nodebalancer: Overview) => void;
}

export function NodeBalancerTable({ nodebalancers, isReadOnly, onDelete }: TableProps) {
  const [order, setOrder] = useState<Order>('label');
  const [isDescending, setDescending] = useState(false);
  const sorted = useMemo(
    () => sortedNaturally(nodebalancers, (nodebalancer) => nodebalancer[order], isDescending),
    [nodebalancers, order, isDescending],
  );
  const paged = usePaged(sorted);
  const sortBy = (key: Order) => {
    setDescending(key === order && !isDescending);
    setOrder(key);
  };
  const head = (key: Order, text: string) => (
    <th scope="col" aria-sort={order === key ? (isDescending ? 'descending' : 'ascending') : 'none'}>
      <button type="button" class="link" onClick={() => sortBy(key)}>
        {text}
        <span aria-hidden="true">{order === key ? (isDescending ? ' ↓' : ' ↑') : ''}</span>
      </button>
    </th>
  );
  return (
    <>
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
            {paged.shown.map((nodebalancer) => (
              <Row key={nodebalancer.id} nodebalancer={nodebalancer} isReadOnly={isReadOnly} onDelete={onDelete} />
            ))}
          </tbody>
        </table>
      </TableFrame>
      <Pager paged={paged} what="NodeBalancers" />
    </>
  );
}

interface RowProps extends Omit<TableProps, 'nodebalancers'> {
  readonly nodebalancer: Overview;
}

function Row({ nodebalancer, isReadOnly, onDelete }: RowProps) {
  const { id, label, configs, transfer, ipv4, region } = nodebalancer;
  return (
    <tr>
      <th scope="row">
        <a href={`/nodebalancers/${id}/summary`}>{label}</a>
      </th>
      <td class="whole" data-head="Backend Status">
        {backendStatus(configs)}
      </td>
      <td class="number" data-head="Transferred">
        {formatMegabytes(transfer.total)}
      </td>
      <td data-head="Ports">
        <Ports id={id} configs={configs} />
      </td>
      <td class="whole" data-head="IP Address">
        {ipv4} <CopyButton text={ipv4} what={`the address of ${label}`} />
      </td>
      <td data-head="Region">{region}</td>
      <td class="end">
        <div class="row-actions">
          <a href={`/nodebalancers/${id}/configurations`} aria-label={`Configurations of ${label}`}>
            Configurations
          </a>
          <a href={`/nodebalancers/${id}/settings`} aria-label={`Settings of ${label}`}>
            Settings
          </a>
          {!isReadOnly && (
            <button
              type="button"
              class="link danger"
              aria-label={`Delete ${label}`}
              onClick={() => onDelete(nodebalancer)}
            >
              Delete
            </button>
          )}
        </div>
      </td>
    </tr>
  );
}
