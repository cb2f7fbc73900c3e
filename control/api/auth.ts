// Who asks, and whether they may: a token in the Authorization header, or the page's cookie. On the local socket the file system has
// answered both already.

import { timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { Caller } from './caller.ts';
import type { ApiContext } from './context.ts';
import { apiError, invalidToken, unauthorized } from './errors.ts';
import type { Login, Logins } from './logins.ts';
import type { RateLimit } from './rate-limit.ts';

const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** @throws ApiError 401, 403 or 429 */
export function authenticate(request: FastifyRequest, context: ApiContext, limit: RateLimit): Caller {
  const caller = bearerCaller(request, context) ?? cookieCaller(request, context);
  if (caller !== undefined) return caller;
  noteStranger(request, limit, context.now(), request.headers.authorization !== undefined);
  throw invalidToken();
}

/**
 * Somebody whom no token stands for. Behind the same address there may be others, with good ones: they are let in however often this one
 * was wrong, for what cannot be guessed needs no protection from guesses.
 * @param hasGuessed a token came, be it a wrong one: whoever sent nothing has not guessed
 * @throws ApiError 429 when the address was wrong too often
 */
export function noteStranger(request: FastifyRequest, limit: RateLimit, nowMs: number, hasGuessed: boolean): void {
  if (limit.isLockedOut(request.ip, nowMs)) {
    const retryAfterS = limit.retryAfterS(nowMs);
    throw apiError(429, `Too many requests: too many wrong tokens from this address, try again in ${retryAfterS} s`);
  }
  if (hasGuessed) limit.noteFailure(request.ip, nowMs);
}

/** @throws ApiError 403 when the caller may only look */
export function authorize(request: FastifyRequest, caller: Caller): void {
  if (!SAFE_METHODS.has(request.method) && caller.scope !== 'read_write') throw unauthorized();
}

/** What only those may see who could also change it. @throws ApiError 403 */
export function requireWriter({ caller }: FastifyRequest): void {
  if (caller.scope !== 'read_write') throw unauthorized();
}

/**
 * Whether who asked may still go on reading: a login may have ended meanwhile, or a token been
 * revoked.
 */
export function isStillKnown(request: FastifyRequest, context: Pick<ApiContext, 'tokens' | 'logins'>): boolean {
  return (bearerCaller(request, context) ?? cookieCaller(request, context)) !== undefined;
}

function bearerCaller(request: FastifyRequest, context: Pick<ApiContext, 'tokens'>): Caller | undefined {
  const [, token] = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
  const info = token === undefined ? undefined : context.tokens.verify(token);
  return info === undefined ? undefined : { author: info.label, scope: info.scope };
}

/** A change by cookie must also carry what only our own page can know. */
function cookieCaller(request: FastifyRequest, context: Pick<ApiContext, 'logins'>): Caller | undefined {
  if (request.headers.authorization !== undefined) return undefined;
  const login = loginOf(request, context.logins);
  if (login === undefined) return undefined;
  const given = request.headers['x-csrf-token'];
  if (!SAFE_METHODS.has(request.method) && !(typeof given === 'string' && isSame(given, login.csrf))) {
    throw apiError(403, 'The change does not come from the page that you are logged in at.');
  }
  return login.caller;
}

/** Who is logged in at the page that asks, if anybody. */
export function loginOf(request: FastifyRequest, logins: Logins): Login | undefined {
  const [value] = cookiesOf(request, logins);
  return value === undefined ? undefined : logins.withCookie(value);
}

/**
 * The values of our cookie: a browser sends several where somebody else has set one of that name
 * for another path.
 */
export function cookiesOf({ headers }: FastifyRequest, { cookieName }: Logins): readonly string[] {
  const begin = `${cookieName}=`;
  const cookies = (headers.cookie ?? '').split(/; */).filter((part) => part.startsWith(begin));
  return cookies.map((cookie) => cookie.slice(begin.length));
}

function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
