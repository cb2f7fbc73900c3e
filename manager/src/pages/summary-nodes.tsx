// Every node of a NodeBalancer: its state, why it is so and since when, what it does at this moment, and its way out.

import { useState } from 'preact/hooks';
import type { FrontendState, NodeState } from '../api/plane.ts';
import { LIVE_SPAN_S, nodeKey, ratesOf } from '../api/rates.ts';
import type { ConfigOverview } from '../api/types.ts';
import { DrainControl, type DrainPlace } from '../forms/drain.tsx';
import { Graph } from '../parts/graph.tsx';
import { Pager, usePaged } from '../parts/pagination.tsx';
import { formatAmount, formatBytes, formatDuration, NodeChip, Time } from '../parts/show.tsx';
import { Sparkline } from '../parts/sparkline.tsx';
import { TableFrame } from '../parts/table.tsx';

/** A minute: as much as fits beside a number. */
const SPARK_SAMPLES = 30;

interface NodesProps {
  readonly nodebalancerId: number;
  readonly configs: readonly ConfigOverview[];
  readonly frontends: readonly FrontendState[];
  readonly onChanged: () => void;
}

export function SummaryNodes({ nodebalancerId, configs, frontends, onChanged }: NodesProps) {
  const rows = frontends.flatMap((frontend) => frontend.nodes.map((node) => ({ frontend, node })));
  const paged = usePaged(rows);
  const [opened, setOpened] = useState<string>();
  if (rows.length === 0) return null;
  return (
    <section class="form-section">
      <h2>Nodes</h2>
      <TableFrame name="Nodes">
        <table class="node-table">
          <thead>
            <tr>
              <th scope="col">Node</th>
              <th scope="col">Status</th>
              <th scope="col">Connections</th>
              <th scope="col" class="number">
                Sessions
              </th>
              <th scope="col">Mode</th>
              <th scope="col">
                <span class="visually-hidden">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {paged.shown.map(({ frontend, node }) => {
              const key = nodeKey(frontend.nodebalancer, frontend.port, node.address);
              const configId = configs.find(({ port }) => port === frontend.port)?.id;
              return (
                <NodeRow
                  key={key}
                  rateKey={key}
                  port={frontend.port}
                  node={node}
                  place={configId === undefined ? undefined : { nodebalancerId, configId, nodes: frontend.nodes }}
                  isOpen={opened === key}
                  onToggle={() => setOpened(opened === key ? undefined : key)}
                  onChanged={onChanged}
                />
              );
            })}
          </tbody>
        </table>
      </TableFrame>
      <Pager paged={paged} what="nodes" />
    </section>
  );
}

interface RowProps {
  readonly rateKey: string;
  readonly port: number;
  readonly node: NodeState;
  /** undefined while its config is not known */
  readonly place: DrainPlace | undefined;
  readonly isOpen: boolean;
  readonly onToggle: () => void;
  readonly onChanged: () => void;
}

function NodeRow({ rateKey, port, node, place, isOpen, onToggle, onChanged }: RowProps) {
  const { connections } = ratesOf(rateKey);
  const rateNow = connections.at(-1);
  return (
    <>
      <tr>
        <th scope="row">
          {node.label}
          <br />
          <span class="quiet">
            {node.address} · port {port}
          </span>
        </th>
        <td class="state" data-head="Status">
          <NodeChip node={node} /> {node.reason}
          <br />
          {node.changed !== null && (
            <span class="quiet">
              <Since time={node.changed} />
            </span>
          )}
        </td>
        <td data-head="Connections">
          <button type="button" class="link sparkline-button" aria-expanded={isOpen} onClick={onToggle}>
            <span class="visually-hidden">Graphs of {node.label}: </span>
            <Sparkline values={connections.slice(-SPARK_SAMPLES)} slots={SPARK_SAMPLES} />
            <span class="rate">{rateNow === undefined ? '…' : formatAmount(rateNow, '/s')}</span>
          </button>
        </td>
        <td class="number" data-head="Sessions">
          {node.sessions}
        </td>
        <td data-head="Mode">{MODE_TEXT[node.mode]}</td>
        <td>{place !== undefined && <DrainControl place={place} node={node} onChanged={onChanged} />}</td>
      </tr>
      {isOpen && (
        <tr>
          <td colSpan={6}>
            <NodeDetails rateKey={rateKey} node={node} />
          </td>
        </tr>
      )}
    </>
  );
}

const MODE_TEXT = { accept: 'Accept', reject: 'Reject', backup: 'Backup', drain: 'Drain' } as const;

function Since({ time }: { readonly time: string }) {
  return (
    <>
      since <Time time={time} />
    </>
  );
}

/** Graphs from when this page was opened, and the counters since the balancer was started. */
function NodeDetails({ rateKey, node }: Pick<RowProps, 'rateKey' | 'node'>) {
  const { times, connections, bitsIn, bitsOut } = ratesOf(rateKey);
  const { check } = node;
  return (
    <div class="form-section node-details">
      <div class="graph-pair">
        <section>
          <h3>Connections (CXN/s, live)</h3>
          <Graph
            spanS={LIVE_SPAN_S}
            series={[{ name: 'Connections', times, values: connections }]}
            format={(value) => formatAmount(value, '/s')}
          />
        </section>
        <section>
          <h3>Traffic (bits/s, live)</h3>
          <Graph
            spanS={LIVE_SPAN_S}
            series={[
              { name: 'To node', times, values: bitsOut },
              { name: 'From node', times, values: bitsIn },
            ]}
            format={(value) => formatAmount(value, 'bit/s')}
          />
        </section>
      </div>
      <dl class="details-list">
        <dt>Last check</dt>
        <dd>
          {check.at === null ? (
            'none yet'
          ) : (
            <>
              <Time time={check.at} />, took {formatDuration(check.took_ms)}; {check.failed} of {check.total} failed
            </>
          )}
        </dd>
        <dt>Connections</dt>
        <dd>
          {node.connects}; {node.connect_failures} failed, {node.connect_timeouts} timed out
        </dd>
        <dt>Transferred</dt>
        <dd>
          {formatBytes(node.bytes_out)} to the node, {formatBytes(node.bytes_in)} from it
        </dd>
      </dl>
    </div>
  );
}
