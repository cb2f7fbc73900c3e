// The graphs of a NodeBalancer: live from what the page sees itself, an hour and a day from the balancer's statistics.

import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { ApiFailure, get } from '../api/client.ts';
import type { Question } from '../api/early.ts';
import { LIVE_SPAN_S, nodebalancerKey, ratesOf } from '../api/rates.ts';
import type { NodeBalancer } from '../api/types.ts';
import { useQuery } from '../api/use-query.ts';
import { Graph } from '../parts/graph.tsx';
import { FailureNotice, Notice } from '../parts/notice.tsx';
import type { Series } from '../parts/plot.ts';
import { formatAmount } from '../parts/show.tsx';

type Points = readonly (readonly [milliseconds: number, value: number])[];

interface Stats {
  readonly data: { readonly connections: Points; readonly traffic: { readonly in: Points; readonly out: Points } };
}

const RANGES = [
  { value: 'live', text: 'Live', average: '2 sec avg.' },
  { value: 'hour', text: 'Last hour', average: '10 sec avg.' },
  { value: 'day', text: 'Last 24 hours', average: '5 min avg.' },
] as const;
type Range = (typeof RANGES)[number]['value'];
type StoredRange = Exclude<Range, 'live'>;

const STORED = {
  hour: { refreshMs: 10_000, spanS: 3600 },
  day: { refreshMs: 20_000, spanS: 86_400 },
} as const;

export function SummaryGraphs({ nodebalancer }: { readonly nodebalancer: NodeBalancer }) {
  const [range, setRange] = useState<Range>('hour');
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
      {range === 'live' ? (
        <LiveGraphs label={nodebalancer.label} average={average} />
      ) : (
        <StoredGraphs id={nodebalancer.id} range={range} average={average} />
      )}
    </>
  );
}

/** Drawn anew with the component around it, which hears of every answer. */
function LiveGraphs({ label, average }: { readonly label: string; readonly average: string }) {
  const { times, connections, bitsIn, bitsOut } = ratesOf(nodebalancerKey(label));
  return (
    <TwoGraphs
      average={average}
      spanS={LIVE_SPAN_S}
      connections={{ name: 'Connections', times, values: connections }}
      traffic={[
        { name: 'Traffic in', times, values: bitsIn },
        { name: 'Traffic out', times, values: bitsOut },
      ]}
    />
  );
}

interface StoredProps {
  readonly id: number;
  readonly range: StoredRange;
  readonly average: string;
}

function StoredGraphs({ id, range, average }: StoredProps) {
  const { refreshMs, spanS } = STORED[range];
  const { data, failure, reload } = useQuery(...statisticsOf(id, range), refreshMs);
  const remark =
    data === null ? (
      <Notice kind="info">Stats for this NodeBalancer are not available yet: the first comes after 10 seconds.</Notice>
    ) : data === undefined && failure !== undefined ? (
      <FailureNotice failure={failure} onRetry={reload} />
    ) : undefined;
  // Without data, whatever the reason, the graphs are as high as with it: what is below them stays where it is.
  const { connections, traffic } = data?.data ?? { connections: [], traffic: { in: [], out: [] } };
  return (
    <TwoGraphs
      average={average}
      spanS={spanS}
      connections={series('Connections', connections)}
      traffic={[series('Traffic in', traffic.in), series('Traffic out', traffic.out)]}
      remark={remark}
    />
  );
}

export const statisticsOf = (id: number, range: StoredRange): Question<Stats | null> => [
  `stats ${id} ${range}`,
  () => loadStats(id, range),
];

async function loadStats(id: number, range: StoredRange): Promise<Stats | null> {
  const path =
    range === 'day' ? `/v4/nodebalancers/${id}/stats` : `/balancer/v1/nodebalancers/${id}/statistics?range=hour`;
  try {
    return (await get<Stats>(path)).data;
  } catch (error) {
    if (error instanceof ApiFailure && error.message === 'Stats are unavailable at this time.') return null;
    throw error;
  }
}

function series(name: string, points: Points): Series {
  return { name, times: points.map(([time]) => time / 1000), values: points.map(([, value]) => value) };
}

interface TwoProps {
  readonly average: string;
  readonly spanS: number;
  readonly connections: Series;
  readonly traffic: readonly Series[];
  /** see Graph: said once, for both */
  readonly remark?: ComponentChildren;
}

function TwoGraphs({ average, spanS, connections, traffic, remark }: TwoProps) {
  return (
    <>
      <section class="panel">
        <h2>Connections (CXN/s, {average})</h2>
        <Graph spanS={spanS} series={[connections]} format={(value) => formatAmount(value, '/s')} remark={remark} />
      </section>
      <section class="panel">
        <h2>Traffic (bits/s, {average})</h2>
        <Graph spanS={spanS} series={traffic} format={(value) => formatAmount(value, 'bit/s')} />
      </section>
    </>
  );
}
