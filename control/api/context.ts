// What the routes share. Each route module takes it whole and adds its routes to the server; none keeps state of its own.

import type { OwnAddresses } from '../../core/config/own-ports.ts';
import type { Changes } from '../changes.ts';
import type { DataPlane } from '../data-plane.ts';
import type { Statistics } from '../store/statistics.ts';
import type { Store } from '../store/store.ts';
import type { StoreReport } from '../store/store-check.ts';
import type { Tokens } from '../store/tokens.ts';
import type { Logins } from './logins.ts';

export interface ApiSettings {
  /** id of the one region */
  readonly region: string;
  /** addresses that new nodebalancers get, one each, in this order */
  readonly addresses: readonly string[];
  /** addresses that may be listened on although the machine lacks them now, in their canonical form */
  readonly floating: readonly string[];
  /** where the page is, without a path: `http://127.0.0.1:8080`; undefined where nothing serves it */
  readonly pageUrl: string | undefined;
}

export interface ApiContext {
  readonly settings: ApiSettings;
  readonly plane: DataPlane;
  /** what a node must not be, at this moment */
  readonly own: () => OwnAddresses;
  readonly store: Store;
  readonly changes: Changes;
  readonly tokens: Tokens;
  readonly logins: Logins;
  readonly statistics: Statistics;
  /** looks at all that is stored, also where the configuration comes from a file */
  readonly checkStore: () => Promise<StoreReport>;
  /** milliseconds since 1970 */
  readonly now: () => number;
  /** one line per write: who, what, how it went */
  readonly audit: (line: string) => void;
  /** a mistake of our own, for the log */
  readonly fault: (error: unknown) => void;
}
