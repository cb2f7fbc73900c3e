// The page's one way to the server: JSON over fetch, errors as values of one class, and word of the server being away and of a login
// that is over. It knows no page and keeps no data.

export interface FieldError {
  /** `configs[0].nodes[1].address`; missing when the error belongs to no field */
  readonly field?: string;
  readonly reason: string;
}

/** An answer that is an error, or no answer (status 0). */
export class ApiFailure extends Error {
  override readonly name = 'ApiFailure';
  readonly status: number;
  readonly errors: readonly FieldError[];
  constructor(status: number, errors: readonly FieldError[]) {
    super(errors.map(({ reason }) => reason).join(' '));
    this.status = status;
    this.errors = errors;
  }
}

export interface Answer<T> {
  readonly data: T;
  /** of single things; sent back with a change, so that nobody's change is overwritten unseen */
  readonly etag: string | null;
}

interface RequestOptions {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly body?: unknown;
  readonly etag?: string | null;
}

/** Here, 401 says that somebody is not logged in yet. */
export const LOGIN = '/balancer/v1/login';

let csrf = '';
const availability = new Set<(isAvailable: boolean) => void>();
const expiry = new Set<() => void>();
const recovery = new Set<() => void>();
let wasAvailable = true;

/** The word that a change must carry, from the answer to a login: what failed for want of one may be tried again. */
export function setCsrf(token: string): void {
  csrf = token;
  tell(recovery);
}

function tell(listeners: ReadonlySet<() => void>): void {
  for (const listener of listeners) listener();
}

/** A request was refused because nobody is logged in any more. @returns a function that ends it */
export function onExpiry(listener: () => void): () => void {
  expiry.add(listener);
  return () => expiry.delete(listener);
}

/** The balancer answers again, or somebody has logged in again. @returns a function that ends it */
export function onRecovery(listener: () => void): () => void {
  recovery.add(listener);
  return () => recovery.delete(listener);
}

/** @returns a function that ends it */
export function onAvailability(listener: (isAvailable: boolean) => void): () => void {
  availability.add(listener);
  return () => availability.delete(listener);
}

function note(isAvailable: boolean): void {
  if (isAvailable === wasAvailable) return;
  wasAvailable = isAvailable;
  for (const listener of availability) listener(isAvailable);
  if (isAvailable) tell(recovery);
}

/** @throws ApiFailure */
export async function request<T>(path: string, options: RequestOptions = {}): Promise<Answer<T>> {
  const { method = 'GET', body, etag } = options;
  const headers = new Headers({ accept: 'application/json' });
  if (body !== undefined) headers.set('content-type', 'application/json');
  if (method !== 'GET') headers.set('x-csrf-token', csrf);
  if (etag) headers.set('if-match', etag);
  const response = await fetch(path, {
    method,
    headers,
    credentials: 'same-origin',
    cache: 'no-store',
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  }).catch(() => undefined);
  // A proxy in between answers for a server that is away.
  const isAvailable = response !== undefined && ![502, 503, 504].includes(response.status);
  note(isAvailable);
  if (response === undefined) throw new ApiFailure(0, [{ reason: 'The balancer does not answer.' }]);
  const text = await response.text();
  const answer: unknown = text === '' ? {} : parse(text);
  if (response.status === 401 && path !== LOGIN) tell(expiry);
  if (!response.ok) throw new ApiFailure(response.status, errorsOf(answer, response.status));
  return { data: answer as T, etag: response.headers.get('etag') };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function errorsOf(answer: unknown, status: number): readonly FieldError[] {
  if (typeof answer === 'object' && answer !== null && 'errors' in answer && Array.isArray(answer.errors)) {
    return answer.errors;
  }
  return [{ reason: `The balancer answered with status ${status}.` }];
}

export const get = <T>(path: string) => request<T>(path);
export const post = <T>(path: string, body: unknown, etag?: string | null) =>
  request<T>(path, { method: 'POST', body, etag: etag ?? null });
export const put = <T>(path: string, body: unknown, etag?: string | null) =>
  request<T>(path, { method: 'PUT', body, etag: etag ?? null });
export const remove = <T>(path: string, etag?: string | null) =>
  request<T>(path, { method: 'DELETE', etag: etag ?? null });

interface Page<T> {
  readonly data: readonly T[];
  readonly page: number;
  readonly pages: number;
  readonly results: number;
}

/** All pages of a list. @param path without page parameters */
export async function getAll<T>(path: string): Promise<readonly T[]> {
  const separator = path.includes('?') ? '&' : '?';
  const page = async (number: number) => (await get<Page<T>>(`${path}${separator}page=${number}&page_size=500`)).data;
  const first = await page(1);
  const rest = await Promise.all(Array.from({ length: first.pages - 1 }, (_, index) => page(index + 2)));
  return [first, ...rest].flatMap(({ data }) => data);
}

/** Whatever was thrown, as something that can be shown. */
export function asFailure(error: unknown): ApiFailure {
  return error instanceof ApiFailure ? error : new ApiFailure(0, [{ reason: String(error) }]);
}
