// The Configurations tab: an accordion per port, each with the form and one Save that writes everything or nothing.

import { useEffect, useRef, useState } from 'preact/hooks';
import { configsOf } from '../api/nodebalancers.ts';
import { useFrontendState } from '../api/state.ts';
import type { Config, NodeBalancer } from '../api/types.ts';
import { useQuery } from '../api/use-query.ts';
import { useReadOnlyReason } from '../login.ts';
import { EmptyState, FailureNotice, Loading, Notice } from '../parts/notice.tsx';
import { ExistingConfig } from './existing-config.tsx';
import { NewConfig } from './new-config.tsx';
import type { TabProps } from './tab.ts';

export function ConfigurationsTab({ nodebalancer, configId }: TabProps) {
  const { data, failure, reload } = useQuery(...configsOf(nodebalancer.id));
  const [isAdding, setAdding] = useState(false);
  const [notice, setNotice] = useState<string>();
  const isReadOnly = useReadOnlyReason() !== undefined;
  if (data === undefined)
    return failure === undefined ? <Loading /> : <FailureNotice failure={failure} onRetry={reload} />;
  const done = (text?: string) => {
    setNotice(text);
    setAdding(false);
    reload();
  };
  return (
    <>
      {notice !== undefined && <Notice kind="success">{notice}</Notice>}
      {data.length === 0 && !isAdding && (
        <EmptyState title="No configurations yet">
          <p>A configuration serves one port.</p>
        </EmptyState>
      )}
      {data.map((config) => (
        <ConfigAccordion
          key={config.id}
          nodebalancer={nodebalancer}
          config={config}
          isNamed={config.id === configId}
          isOpen={config.id === configId || data.length === 1}
          onDone={done}
        />
      ))}
      {isAdding && (
        <NewConfig
          nodebalancer={nodebalancer}
          isFirst={data.length === 0}
          onDone={done}
          onCancel={() => setAdding(false)}
        />
      )}
      {!isAdding && !isReadOnly && (
        <div>
          <button type="button" class="button" onClick={() => setAdding(true)}>
            {data.length === 0 ? 'Add a Configuration' : 'Add Another Configuration'}
          </button>
        </div>
      )}
    </>
  );
}

interface AccordionProps {
  readonly nodebalancer: NodeBalancer;
  readonly config: Config;
  /** the address of the page names it */
  readonly isNamed: boolean;
  readonly isOpen: boolean;
  readonly onDone: (text?: string) => void;
}

function ConfigAccordion({ nodebalancer, config, isNamed, isOpen, onDone }: AccordionProps) {
  const [wasOpened, setOpened] = useState(isOpen);
  const accordion = useRef<HTMLDetailsElement>(null);
  const state = useFrontendState(nodebalancer.label, config.port);
  const { up, down, unknown } = state?.nodes_status ?? { ...config.nodes_status, unknown: 0 };
  useEffect(() => {
    if (isNamed) accordion.current?.scrollIntoView({ block: 'nearest' });
  }, [isNamed]);
  return (
    <details
      ref={accordion}
      class="accordion"
      open={isOpen}
      onToggle={(event) => event.currentTarget.open && setOpened(true)}
    >
      <summary>
        Port {config.port}
        <span class="quiet">
          Backend status: {up} up, {down} down{unknown > 0 ? `, ${unknown} unknown` : ''}
        </span>
      </summary>
      {wasOpened && (
        <div class="accordion-body">
          <ExistingConfig nodebalancer={nodebalancer} config={config} state={state} onDone={onDone} />
        </div>
      )}
    </details>
  );
}
