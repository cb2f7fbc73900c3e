// Parameters of a query: texts, each at most once.

import { isRecord } from '../../core/config/problem.ts';
import { apiError } from './errors.ts';

/** @returns undefined when it was not given @throws ApiError 400 when it was given twice */
export function queryText(query: unknown, name: string): string | undefined {
  const value = isRecord(query) && Object.hasOwn(query, name) ? query[name] : undefined;
  if (value === undefined || typeof value === 'string') return value;
  throw apiError(400, 'Must be given once', name);
}

/** `true` or `false`: a misspelled one must not be taken for the other. @throws ApiError 400 */
export function queryFlag(query: unknown, name: string): boolean {
  const text = queryText(query, name);
  if (text === undefined || text === 'false') return false;
  if (text === 'true') return true;
  throw apiError(400, 'Must be true or false', name);
}
