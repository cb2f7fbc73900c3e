// The header X-Filter: which items of a list, and in which order. Conditions are values here; an item is held against them by its
// fields.

import { canonicalIp } from '../../core/base/ip.ts';
import { isRecord } from '../../core/config/problem.ts';
import { type ApiError, apiError } from './errors.ts';

type Item = Readonly<Record<string, unknown>>;
type Condition = (item: Item) => boolean;

const NESTING_MAX = 16;
const HEADER_CHARS_MAX = 16_384;

const COMPARISONS: Readonly<Record<string, (value: unknown, wanted: unknown) => boolean>> = {
  '+gt': (value, wanted) => order(value, wanted) > 0,
  '+gte': (value, wanted) => order(value, wanted) >= 0,
  '+lt': (value, wanted) => order(value, wanted) < 0,
  '+lte': (value, wanted) => order(value, wanted) <= 0,
  '+contains': (value, wanted) => contains(value, wanted),
  '+neq': (value, wanted) => !equals(value, wanted),
};

/**
 * @param header as it was sent @param fields by which the list can be filtered
 * @returns the items that fit, in the order wanted @throws ApiError 400 at X-Filter
 */
export function filterItems<T extends object>(
  header: unknown,
  items: readonly T[],
  fields: readonly string[],
): readonly T[] {
  if (header === undefined || header === '') return items;
  const filter = parse(header);
  const { '+order_by': orderBy, '+order': direction = 'asc', ...conditions } = filter;
  const fits = conditionOf(conditions, fields, 0);
  const found = items.filter((item) => fits(item as Item));
  if (orderBy === undefined) return found;
  if (typeof orderBy !== 'string') throw bad('+order_by must be the name of a field');
  if (!fields.includes(orderBy)) throw bad(`Cannot filter on ${orderBy}`);
  if (direction !== 'asc' && direction !== 'desc') throw bad('+order must be asc or desc');
  const sign = direction === 'asc' ? 1 : -1;
  return found.toSorted((a, b) => sign * compare(valueAt(a as Item, orderBy), valueAt(b as Item, orderBy)));
}

function bad(reason: string): ApiError {
  return apiError(400, reason, 'X-Filter');
}

function parse(header: unknown): Item {
  if (typeof header !== 'string' || header.length > HEADER_CHARS_MAX) throw bad('Must be a JSON object');
  try {
    const value: unknown = JSON.parse(header);
    if (isRecord(value)) return value;
  } catch {
    // The same answer as for any other value that is no mapping.
  }
  throw bad('Must be a JSON object');
}

/** All keys of a mapping must hold. */
function conditionOf(filter: Item, fields: readonly string[], depth: number): Condition {
  if (depth > NESTING_MAX) throw bad(`Nested more than ${NESTING_MAX} deep`);
  const conditions = Object.entries(filter).map(([key, wanted]): Condition => {
    if (key === '+and' || key === '+or') {
      const parts = partsOf(key, wanted, fields, depth);
      return key === '+and' ? (item) => parts.every((part) => part(item)) : (item) => parts.some((part) => part(item));
    }
    if (key.startsWith('+')) throw bad(`Unknown operator ${key}`);
    return fieldCondition(key, wanted, fields);
  });
  return (item) => conditions.every((condition) => condition(item));
}

function partsOf(key: string, wanted: unknown, fields: readonly string[], depth: number): readonly Condition[] {
  if (!Array.isArray(wanted)) throw bad(`${key} needs a list`);
  return wanted.map((part: unknown) => {
    if (!isRecord(part)) throw bad(`${key} needs a list of objects`);
    return conditionOf(part, fields, depth + 1);
  });
}

function fieldCondition(field: string, wanted: unknown, fields: readonly string[]): Condition {
  if (!fields.includes(field)) throw bad(`Cannot filter on ${field}`);
  if (!isRecord(wanted)) return (item) => equals(valueAt(item, field), wanted);
  const tests = Object.entries(wanted).map(([operator, operand]) => {
    const test = Object.hasOwn(COMPARISONS, operator) ? COMPARISONS[operator] : undefined;
    if (test === undefined) throw bad(`Unknown operator ${operator}`);
    return (value: unknown) => test(value, operand);
  });
  return (item) => tests.every((test) => test(valueAt(item, field)));
}

/** `transfer.total` is a field of a field. */
function valueAt(item: Item, field: string): unknown {
  let value: unknown = item;
  for (const key of field.split('.')) value = isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  return value;
}

/** A list equals what is in it: that is how clients ask for a tag. Addresses are equal in any spelling. */
function equals(value: unknown, wanted: unknown): boolean {
  if (Array.isArray(value)) return value.some((part) => equals(part, wanted));
  if (value === wanted) return true;
  if (typeof value !== 'string' || typeof wanted !== 'string' || !value.includes(':')) return false;
  return canonicalIp(value) !== undefined && canonicalIp(value) === canonicalIp(wanted);
}

function contains(value: unknown, wanted: unknown): boolean {
  if (typeof wanted !== 'string') return false;
  if (Array.isArray(value)) return value.some((part) => contains(part, wanted));
  return typeof value === 'string' && value.toLowerCase().includes(wanted.toLowerCase());
}

/** @returns below, at or above 0; NaN for values that have no order between them */
function order(value: unknown, wanted: unknown): number {
  if (typeof value === 'number' && typeof wanted === 'number') return value - wanted;
  if (typeof value === 'string' && typeof wanted === 'string') return value < wanted ? -1 : Number(value > wanted);
  return Number.NaN;
}

function compare(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a).localeCompare(String(b));
}
