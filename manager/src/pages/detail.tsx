// One NodeBalancer: its name, and the tab that the address names.

import { useRoute } from 'preact-iso';
import { nodebalancerOf } from '../api/nodebalancers.ts';
import { useQuery } from '../api/use-query.ts';
import { PageHeading } from '../parts/heading.tsx';
import { FailureNotice, Loading } from '../parts/notice.tsx';
import { ConfigurationsTab } from './configurations.tsx';
import { LabelEditor, LabelEditorPlace } from './label-editor.tsx';
import { SettingsTab } from './settings.tsx';
import { SummaryTab } from './summary.tsx';

const TABS = [
  { path: 'summary', text: 'Summary', Tab: SummaryTab },
  { path: 'configurations', text: 'Configurations', Tab: ConfigurationsTab },
  { path: 'settings', text: 'Settings', Tab: SettingsTab },
] as const;

export function DetailPage() {
  const { params } = useRoute();
  const id = Number(params.id);
  const { data, failure, reload } = useQuery(...nodebalancerOf(id));
  const current = TABS.find(({ path }) => path === params.tab) ?? TABS[0];
  const { Tab } = current;
  if (failure?.status === 404) return <NoSuchNodeBalancer />;
  const label = data?.data.label ?? '…';
  return (
    <>
      <div class="page-head">
        <div class="heading-line">
          <PageHeading title={`${label} ${current.text}`} place={String(params.id)}>
            <span class="breadcrumb">
              <a href="/nodebalancers">NodeBalancers</a> /{' '}
            </span>
            {label}
          </PageHeading>
          {data === undefined ? <LabelEditorPlace /> : <LabelEditor key={label} answer={data} onChanged={reload} />}
        </div>
      </div>
      <nav class="tabs" aria-label="NodeBalancer">
        {TABS.map(({ path, text }) => (
          <a key={path} href={`/nodebalancers/${id}/${path}`} aria-current={path === current.path ? 'page' : undefined}>
            {text}
          </a>
        ))}
      </nav>
      {failure !== undefined && data === undefined && <FailureNotice failure={failure} onRetry={reload} />}
      {data === undefined && failure === undefined && <Loading lines={8} />}
      {data !== undefined && (
        <Tab
          key={`${id} ${current.path}`}
          nodebalancer={data.data}
          etag={data.etag}
          configId={Number(params.config)}
          onChanged={reload}
        />
      )}
    </>
  );
}

function NoSuchNodeBalancer() {
  return (
    <>
      <PageHeading title="Not found" />
      <p>
        There is no such NodeBalancer, or no longer. <a href="/nodebalancers">All NodeBalancers</a>
      </p>
    </>
  );
}
