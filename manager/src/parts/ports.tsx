// What a list and the summary say of a NodeBalancer's configs in a few words.

import type { ConfigOverview } from '../api/types.ts';

/** `3 up - 1 down` */
export function backendStatus(configs: readonly ConfigOverview[]): string {
  const sum = (key: 'up' | 'down') => configs.reduce((total, config) => total + config.nodes_status[key], 0);
  return `${sum('up')} up - ${sum('down')} down`;
}

/** Each port leads to its configuration. */
export function Ports({ id, configs }: { readonly id: number; readonly configs: readonly ConfigOverview[] }) {
  if (configs.length === 0) return <>None</>;
  return (
    <>
      {configs.map((config, index) => (
        <span key={config.id}>
          {index > 0 && ', '}
          <a href={`/nodebalancers/${id}/configurations/${config.id}`}>{config.port}</a>
        </span>
      ))}
    </>
  );
}
