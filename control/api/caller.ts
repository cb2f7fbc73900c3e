// Who asks.

import type { TokenScope } from '../store/tokens.ts';

export interface Caller {
  /** a token's label, or `operator` */
  readonly author: string;
  readonly scope: TokenScope;
}

/** Whoever can open the local socket, or came with a one-time code. */
export const OPERATOR: Caller = { author: 'operator', scope: 'read_write' };
