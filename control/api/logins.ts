// Who is logged in at the page: a signed cookie that says whose token it was, and one-time codes that stand for a token once. Nothing
// is kept of a login, so that it outlives a restart; a revoked token ends its logins with it.

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { TokenInfo, Tokens } from '../store/tokens.ts';
import { type Caller, OPERATOR } from './caller.ts';

const NAME_CHARS = 8;
export const LOGIN_HOURS = 12;
const LOGIN_MS = LOGIN_HOURS * 3_600_000;
const CODE_MS = 15 * 60_000;
const CODES_MAX = 100;

/** Whose login it is. */
interface Owner {
  /** a token's */
  readonly id: number;
  /** when that was made: a new database counts its tokens from 1 again */
  readonly since: string;
  readonly caller: Caller;
}

/** Who came with a one-time code. Tokens are counted from 1. */
const OPERATOR_OWNER: Owner = { id: 0, since: '', caller: OPERATOR };

export interface Login {
  /** for the cookie */
  readonly value: string;
  readonly caller: Caller;
  /** what a change must carry in a header: a page of another site cannot read it */
  readonly csrf: string;
}

export class Logins {
  /** Its own for each balancer: browsers send a cookie to every port of a host. */
  readonly cookieName: string;
  readonly #key: Buffer;
  readonly #tokens: Tokens;
  readonly #now: () => number;
  /** code -> until when it is good */
  readonly #codes = new Map<string, number>();

  /** @param now milliseconds since 1970 */
  constructor(key: Buffer, tokens: Tokens, now: () => number) {
    this.#key = key;
    this.cookieName = `balancer_login_${this.#sign('cookie').slice(0, NAME_CHARS)}`;
    this.#tokens = tokens;
    this.#now = now;
  }

  /** @returns undefined when it is nobody's token */
  withToken(token: string): Login | undefined {
    const info = this.#tokens.verify(token);
    return info === undefined ? undefined : this.#login(ownerOf(info));
  }

  /** A code that logs the operator in, once, within 15 minutes. */
  createCode(): string {
    const code = randomBytes(24).toString('base64url');
    this.#codes.set(code, this.#now() + CODE_MS);
    const [oldest = ''] = this.#codes.keys();
    if (this.#codes.size > CODES_MAX) this.#codes.delete(oldest);
    return code;
  }

  /** @returns undefined when the code is used up, too old or none */
  withCode(code: string): Login | undefined {
    const untilMs = this.#codes.get(code);
    if (untilMs === undefined) return undefined;
    this.#codes.delete(code);
    return untilMs < this.#now() ? undefined : this.#login(OPERATOR_OWNER);
  }

  /** @returns undefined when the cookie is forged or old, or its token revoked */
  withCookie(value: string): Login | undefined {
    const [id = '', until = ''] = value.split('.');
    const owner = this.#ownerWith(Number(id));
    if (owner === undefined || !isSame(value, this.#valueOf(owner, Number(until)))) return undefined;
    return Number(until) < this.#now() ? undefined : this.#loginWith(value, owner);
  }

  #ownerWith(id: number): Owner | undefined {
    if (id === OPERATOR_OWNER.id) return OPERATOR_OWNER;
    const info = this.#tokens.list().find((token) => token.id === id);
    return info === undefined ? undefined : ownerOf(info);
  }

  #login(owner: Owner): Login {
    return this.#loginWith(this.#valueOf(owner, this.#now() + LOGIN_MS), owner);
  }

  #loginWith(value: string, { caller }: Owner): Login {
    return { value, caller, csrf: this.#sign(`csrf ${value}`) };
  }

  #valueOf({ id, since }: Owner, until: number): string {
    const payload = `${id}.${until}`;
    return `${payload}.${this.#sign(`${payload} ${since}`)}`;
  }

  #sign(text: string): string {
    return createHmac('sha256', this.#key).update(text).digest('base64url');
  }
}

function ownerOf({ id, created, label, scope }: TokenInfo): Owner {
  return { id, since: created, caller: { author: label, scope } };
}

export function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
