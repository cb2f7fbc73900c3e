// Every answer that is an error has one shape, `{"errors": [{"field", "reason"}]}`; here is what may be thrown on the way to it, and
// how what the rest of the program throws is told to a client.

import { ReadOnlyError, StaleError } from '../changes.ts';
import { RefusedChange } from '../data-plane.ts';
import { ConflictError, StoreError } from '../store/store.ts';

export interface ErrorItem {
  /** `configs[0].nodes[1].address`; missing when the error belongs to no field */
  readonly field?: string;
  readonly reason: string;
}

export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly errors: readonly ErrorItem[];

  constructor(status: number, errors: readonly ErrorItem[]) {
    super(errors.map(({ reason }) => reason).join(' '));
    this.status = status;
    this.errors = errors;
  }
}

export function apiError(status: number, reason: string, field?: string): ApiError {
  return new ApiError(status, [field === undefined ? { reason } : { field, reason }]);
}

export const notFound = () => apiError(404, 'Not found');
export const invalidToken = () => apiError(401, 'Invalid Token');
export const unauthorized = () => apiError(403, 'Unauthorized');

/** @returns undefined for a mistake of our own: its words are for the log */
export function asApiError(error: unknown): ApiError | undefined {
  if (error instanceof ApiError) return error;
  // A port that something else has, or that needs a privilege.
  if (error instanceof RefusedChange)
    return apiError(400, error.message, error.listen === undefined ? undefined : 'port');
  if (error instanceof StaleError) return apiError(409, error.message);
  if (error instanceof ConflictError) return apiError(409, error.message);
  if (error instanceof ReadOnlyError) return apiError(403, error.message);
  if (error instanceof StoreError) return apiError(507, error.message);
  return undefined;
}
