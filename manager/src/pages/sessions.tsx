// The connections that run at this moment, and the power to end them.

import { useEffect, useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { get, remove } from '../api/client.ts';
import type { Session } from '../api/types.ts';
import { useQuery } from '../api/use-query.ts';
import { formErrors } from '../forms/errors.ts';
import { useMayOperate } from '../login.ts';
import { ConfirmDialog } from '../parts/dialog.tsx';
import { TextField } from '../parts/fields.tsx';
import { PageHeading } from '../parts/heading.tsx';
import { EmptyState, FailureNotice, Loading } from '../parts/notice.tsx';
import { count, formatBytes, formatDuration, Time } from '../parts/show.tsx';
import { TableFrame } from '../parts/table.tsx';

interface Sessions {
  readonly total: number;
  readonly sessions: readonly Session[];
}

const LIMIT = 200;
const REFRESH_MS = 2000;

/** Which sessions a kill is about. */
interface Doomed {
  readonly text: string;
  readonly path: string;
}

function filterQuery(client: string, node: string): string {
  const query = new URLSearchParams();
  if (client.trim() !== '') query.set('client', client.trim());
  if (node.trim() !== '') query.set('node', node.trim());
  return query.toString();
}

const TYPING_MS = 250;

/** The value once it has stopped changing: an address is asked for when it is typed, not at each of its letters. */
function useSettled(value: string): string {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), TYPING_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}

export function SessionsPage() {
  const { query } = useLocation();
  const [client, setClient] = useState(query.client ?? '');
  const [node, setNode] = useState(query.node ?? '');
  const [doomed, setDoomed] = useState<Doomed>();
  const mayOperate = useMayOperate();
  const filter = useSettled(filterQuery(client, node));
  const { data, failure, reload } = useQuery(
    `sessions ${filter}`,
    async () => (await get<Sessions>(`/balancer/v1/sessions?limit=${LIMIT}&${filter}`)).data,
    REFRESH_MS,
  );
  const errors = formErrors(failure, (field) => field === 'client' || field === 'node');
  return (
    <>
      <div class="page-head">
        <PageHeading title="Sessions" />
        <span class="quiet">
          {data === undefined
            ? ''
            : `${count(data.total, 'session')}${data.total > LIMIT ? `, the first ${LIMIT} shown` : ''}`}
        </span>
      </div>
      <div class="fields">
        <TextField
          label="Client address"
          value={client}
          error={errors.at('client')}
          onChange={setClient}
          placeholder="192.0.2.7"
        />
        <TextField
          label="Node address"
          value={node}
          error={errors.at('node')}
          onChange={setNode}
          placeholder="192.168.0.10:80"
        />
      </div>
      {filter !== '' && mayOperate && (data?.total ?? 0) > 0 && (
        <div>
          <button
            type="button"
            class="button danger"
            onClick={() =>
              setDoomed({
                text: `all ${count(data?.total ?? 0, 'session')} that fit the filter`,
                path: `/balancer/v1/sessions?${filter}`,
              })
            }
          >
            End all {data?.total}
          </button>
        </div>
      )}
      {failure !== undefined && errors.others.length > 0 && <FailureNotice failure={failure} onRetry={reload} />}
      {data === undefined && failure === undefined && <Loading lines={6} />}
      {data?.sessions.length === 0 && (
        <EmptyState title="No sessions">
          <p>No connection {filter === '' ? 'runs at this moment' : 'fits the filter'}.</p>
        </EmptyState>
      )}
      {data !== undefined && data.sessions.length > 0 && (
        <TableFrame name="Sessions">
          <table>
            <thead>
              <tr>
                <th scope="col">Client</th>
                <th scope="col">NodeBalancer</th>
                <th scope="col">Node</th>
                <th scope="col">State</th>
                <th scope="col">Started</th>
                <th scope="col" class="number">
                  Idle
                </th>
                <th scope="col" class="number">
                  From client
                </th>
                <th scope="col" class="number">
                  To client
                </th>
                <th scope="col">
                  <span class="visually-hidden">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {data.sessions.map((session) => (
                <tr key={session.id}>
                  <th scope="row">{session.client}</th>
                  <td data-head="NodeBalancer">
                    {session.nodebalancer} :{session.port}
                  </td>
                  <td data-head="Node">
                    {session.node === null ? (
                      'none yet'
                    ) : (
                      <>
                        {session.node.label} <span class="quiet">{session.node.address}</span>
                      </>
                    )}
                  </td>
                  <td data-head="State">{session.phase}</td>
                  <td class="time" data-head="Started">
                    <Time time={session.started} />
                  </td>
                  <td class="number" data-head="Idle">
                    {formatDuration(session.idle_ms)}
                  </td>
                  <td class="number" data-head="From client">
                    {formatBytes(session.bytes_in)}
                  </td>
                  <td class="number" data-head="To client">
                    {formatBytes(session.bytes_out)}
                  </td>
                  <td class="end">
                    {mayOperate && (
                      <button
                        type="button"
                        class="link danger"
                        aria-label={`End the session of ${session.client}`}
                        onClick={() =>
                          setDoomed({
                            text: `the session of ${session.client}`,
                            path: `/balancer/v1/sessions/${session.id}`,
                          })
                        }
                      >
                        End
                      </button>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </TableFrame>
      )}
      {doomed !== undefined && (
        <ConfirmDialog
          title={`End ${doomed.text}?`}
          action="End"
          onConfirm={async () => {
            await remove(doomed.path);
            reload();
          }}
          onClose={() => setDoomed(undefined)}
        >
          <p>The connection is closed on both sides; what is on its way is lost.</p>
        </ConfirmDialog>
      )}
    </>
  );
}
