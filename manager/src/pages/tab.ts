// What the tabs of a NodeBalancer's page are given.

import type { NodeBalancer } from '../api/types.ts';

export interface TabProps {
  readonly nodebalancer: NodeBalancer;
  readonly etag: string | null;
  /** the config that the address names; NaN when it names none */
  readonly configId: number;
  /** the NodeBalancer was changed: it is to be loaded again */
  readonly onChanged: () => void;
}
