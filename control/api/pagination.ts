// Lists, a page at a time: `?page=` from 1, `?page_size=` 25 to 500.

import { type TSchema, Type } from 'typebox';
import { ApiError, type ErrorItem } from './errors.ts';

const PAGE_SIZE_MIN = 25;
const PAGE_SIZE_MAX = 500;
const PAGE_SIZE_DEFAULT = 100;

export const PageQuery = Type.Object({
  page: Type.Optional(Type.Integer({ minimum: 1, default: 1, description: 'The page to answer with.' })),
  page_size: Type.Optional(
    Type.Integer({
      minimum: PAGE_SIZE_MIN,
      maximum: PAGE_SIZE_MAX,
      default: PAGE_SIZE_DEFAULT,
      description: 'Items of a page.',
    }),
  ),
});

export interface Page<T> {
  readonly data: readonly T[];
  readonly page: number;
  readonly pages: number;
  readonly results: number;
}

export function pageOf<T extends TSchema>(item: T) {
  return Type.Object({
    data: Type.Array(item),
    page: Type.Integer(),
    pages: Type.Integer(),
    results: Type.Integer(),
  });
}

/** Past the last page, the last page. @param query as it was sent @throws ApiError 400 */
export function paginate<T>(query: unknown, items: readonly T[]): Page<T> {
  const { page, size } = readQuery(query);
  const pages = Math.max(1, Math.ceil(items.length / size));
  const current = Math.min(page, pages);
  return { data: items.slice((current - 1) * size, current * size), page: current, pages, results: items.length };
}

function readQuery(query: unknown): { readonly page: number; readonly size: number } {
  const errors: ErrorItem[] = [];
  const read = (name: string, fallback: number, min: number, max: number, reason: string): number => {
    const text: unknown = typeof query === 'object' && query !== null ? Reflect.get(query, name) : undefined;
    if (text === undefined) return fallback;
    const value = typeof text === 'string' && /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    errors.push({ field: name, reason });
    return fallback;
  };
  const page = read('page', 1, 1, Number.MAX_SAFE_INTEGER, 'Must be an integer from 1 on');
  const size = read(
    'page_size',
    PAGE_SIZE_DEFAULT,
    PAGE_SIZE_MIN,
    PAGE_SIZE_MAX,
    `Must be an integer from ${PAGE_SIZE_MIN} to ${PAGE_SIZE_MAX}`,
  );
  if (errors.length > 0) throw new ApiError(400, errors);
  return { page, size };
}
