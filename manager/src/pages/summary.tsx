// How a NodeBalancer is doing: graphs, live and over a day; what it is; what its nodes are up to.

import { configsOf } from '../api/nodebalancers.ts';
import { usePlaneState } from '../api/state.ts';
import { useQuery } from '../api/use-query.ts';
import { CopyButton } from '../parts/copy.tsx';
import { Loading } from '../parts/notice.tsx';
import { backendStatus, Ports } from '../parts/ports.tsx';
import { formatMegabytes, Time } from '../parts/show.tsx';
import { RecentEvents } from './recent-events.tsx';
import { SummaryGraphs } from './summary-graphs.tsx';
import { SummaryNodes } from './summary-nodes.tsx';
import type { TabProps } from './tab.ts';
import { Tags } from './tags.tsx';

const REFRESH_MS = 10_000;

export function SummaryTab(props: TabProps) {
  const { nodebalancer } = props;
  const configs = useQuery(...configsOf(nodebalancer.id), REFRESH_MS);
  const state = usePlaneState();
  const frontends = state?.frontends.filter((frontend) => frontend.nodebalancer === nodebalancer.label) ?? [];
  const { total } = nodebalancer.transfer;
  return (
    <>
      <div class="summary-grid">
        <div class="form-section">
          <SummaryGraphs nodebalancer={nodebalancer} />
        </div>
        <aside class="form-section">
          <section class="panel">
            <h2>NodeBalancer Details</h2>
            <dl class="details-list">
              <dt>Ports</dt>
              <dd>{configs.data === undefined ? '…' : <Ports id={nodebalancer.id} configs={configs.data} />}</dd>
              <dt>Backend Status</dt>
              <dd>{configs.data === undefined ? '…' : backendStatus(configs.data)}</dd>
              <dt>Sessions</dt>
              <dd>{frontends.reduce((sum, frontend) => sum + frontend.sessions, 0)}</dd>
              <dt>Transferred</dt>
              <dd>{formatMegabytes(total)} this month</dd>
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
                  <p key={ip} class="address">
                    {ip} <CopyButton text={ip} what={ip} />
                  </p>
                ),
            )}
          </section>
          <Tags {...props} />
        </aside>
      </div>
      {state === undefined && <Loading lines={8} />}
      <SummaryNodes
        nodebalancerId={nodebalancer.id}
        configs={configs.data ?? []}
        frontends={frontends}
        onChanged={configs.reload}
      />
      <RecentEvents label={nodebalancer.label} />
    </>
  );
}
