// How a NodeBalancer is doing: graphs, live and over a day; what it is; what its nodes are up to.

import { useState } from 'preact/hooks';
import { ApiFailure, get } from '../api/client.ts';
import { changeNodeBalancer, listConfigs } from '../api/nodebalancers.ts';
import { type FrontendState, usePlaneState } from '../api/state.ts';
import { useQuery } from '../api/use-query.ts';
import { useReadOnlyReason } from '../login.ts';
import { CopyButton } from '../parts/copy.tsx';
import { TextField } from '../parts/fields.tsx';
import { Graph, type Series } from '../parts/graph.tsx';
import { FailureNotice, Loading, Notice } from '../parts/notice.tsx';
import { formatAmount, formatBytes, StatusChip, Time } from '../parts/show.tsx';
import { TableFrame } from '../parts/table.tsx';
import { backendStatus, Ports } from './landing.tsx';
import type { TabProps } from './tab.ts';

type Points = readonly (readonly [milliseconds: number, value: number])[];

interface Stats {
  readonly data: { readonly connections: Points; readonly traffic: { readonly in: Points; readonly out: Points } };
}

const RANGES = [
  { value: 'hour', text: 'Last hour', average: '10 sec avg.' },
  { value: 'day', text: 'Last 24 hours', average: '5 min avg.' },
] as const;
type Range = (typeof RANGES)[number]['value'];

const REFRESH_MS: Readonly<Record<Range, number>> = { hour: 10_000, day: 20_000 };
const MEGABYTE = 1e6;

export function SummaryTab(props: TabProps) {
  const { nodebalancer } = props;
  const configs = useQuery(`configs ${nodebalancer.id}`, () => listConfigs(nodebalancer.id), 10_000);
  const state = usePlaneState();
  const frontends = state?.frontends.filter((frontend) => frontend.nodebalancer === nodebalancer.label) ?? [];
  const { total } = nodebalancer.transfer;
  return (
    <>
      <div class="summary-grid">
        <div class="form-section">
          <Graphs id={nodebalancer.id} />
        </div>
        <aside class="form-section">
          <section class="panel">
            <h2>NodeBalancer Details</h2>
            <dl class="details-list">
              <dt>Ports</dt>
              <dd>
                {configs.data === undefined ? (
                  '…'
                ) : (
                  <Ports base={`/nodebalancers/${nodebalancer.id}`} summary={{ configs: configs.data }} />
                )}
              </dd>
              <dt>Backend Status</dt>
              <dd>{configs.data === undefined ? '…' : backendStatus(configs.data)}</dd>
              <dt>Sessions</dt>
              <dd>{frontends.reduce((sum, frontend) => sum + frontend.sessions, 0)}</dd>
              <dt>Transferred</dt>
              <dd>{formatBytes((total ?? 0) * MEGABYTE)} this month</dd>
              <dt>Host Name</dt>
              <dd>{nodebalancer.hostname}</dd>
              <dt>Region</dt>
              <dd>{nodebalancer.region}</dd>
              <dt>Created</dt>
              <dd>
                <Time time={nodebalancer.created} />
              </dd>
            </dl>
          </section>
          <section class="panel">
            <h2>IP Addresses</h2>
            {[nodebalancer.ipv4, nodebalancer.ipv6].map(
              (ip) =>
                ip !== null && (
                  <p key={ip}>
                    {ip} <CopyButton text={ip} what={ip} />
                  </p>
                ),
            )}
          </section>
          <Tags {...props} />
        </aside>
      </div>
      <Nodes frontends={frontends} />
    </>
  );
}

async function loadStats(id: number, range: Range): Promise<Stats | null> {
  const path =
    range === 'day' ? `/v4/nodebalancers/${id}/stats` : `/balancer/v1/nodebalancers/${id}/statistics?range=hour`;
  try {
    return (await get<Stats>(path)).data;
  } catch (error) {
    if (error instanceof ApiFailure && error.message === 'Stats are unavailable at this time.') return null;
    throw error;
  }
}

function Graphs({ id }: { readonly id: number }) {
  const [range, setRange] = useState<Range>('hour');
  const { data, failure, reload } = useQuery(`stats ${id} ${range}`, () => loadStats(id, range), REFRESH_MS[range]);
  const { average } = RANGES.find(({ value }) => value === range) ?? RANGES[0];
  return (
    <>
      <fieldset class="range">
        <legend class="visually-hidden">Range of the graphs</legend>
        {RANGES.map(({ value, text }) => (
          <button
            key={value}
            type="button"
            class="button"
            aria-pressed={range === value}
            onClick={() => setRange(value)}
          >
            {text}
          </button>
        ))}
      </fieldset>
      {failure !== undefined && data === undefined && <FailureNotice failure={failure} onRetry={reload} />}
      {data === undefined && failure === undefined && <Loading lines={8} />}
      {data === null && (
        <Notice kind="info">
          Stats for this NodeBalancer are not available yet: the first comes after 10 seconds.
        </Notice>
      )}
      {data !== undefined && data !== null && (
        <>
          <section class="panel">
            <h2>Connections (CXN/s, {average})</h2>
            <Graph
              series={[series('Connections', data.data.connections)]}
              format={(value) => formatAmount(value, '/s')}
            />
          </section>
          <section class="panel">
            <h2>Traffic (bits/s, {average})</h2>
            <Graph
              series={[series('Traffic in', data.data.traffic.in), series('Traffic out', data.data.traffic.out)]}
              format={(value) => formatAmount(value, 'bit/s')}
            />
          </section>
        </>
      )}
    </>
  );
}

function series(name: string, points: Points): Series {
  return { name, times: points.map(([time]) => time / 1000), values: points.map(([, value]) => value) };
}

/** Every node with its state, why it is so and since when. */
function Nodes({ frontends }: { readonly frontends: readonly FrontendState[] }) {
  if (frontends.every(({ nodes }) => nodes.length === 0)) return null;
  return (
    <section class="form-section">
      <h2>Nodes</h2>
      <TableFrame name="Nodes">
        <table>
          <thead>
            <tr>
              <th scope="col">Port</th>
              <th scope="col">Node</th>
              <th scope="col">Status</th>
              <th scope="col">Reason</th>
              <th scope="col">Since</th>
              <th scope="col">Mode</th>
              <th scope="col" class="number">
                Sessions
              </th>
              <th scope="col" class="number">
                To node
              </th>
              <th scope="col" class="number">
                From node
              </th>
            </tr>
          </thead>
          <tbody>
            {frontends.flatMap(({ port, nodes }) =>
              nodes.map((node) => (
                <tr key={`${port} ${node.address}`}>
                  <td>{port}</td>
                  <th scope="row">
                    {node.label}
                    <br />
                    <span class="quiet">{node.address}</span>
                  </th>
                  <td>
                    <StatusChip state={node.is_ejected ? 'out' : node.health} />
                  </td>
                  <td>{node.reason}</td>
                  <td class="time">{node.changed === null ? '–' : <Time time={node.changed} />}</td>
                  <td>{node.mode}</td>
                  <td class="number">{node.sessions}</td>
                  <td class="number">{formatBytes(node.bytes_out)}</td>
                  <td class="number">{formatBytes(node.bytes_in)}</td>
                </tr>
              )),
            )}
          </tbody>
        </table>
      </TableFrame>
    </section>
  );
}

function Tags({ nodebalancer, etag, onChanged }: TabProps) {
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
