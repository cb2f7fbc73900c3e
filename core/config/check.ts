// Holds an unknown value against a schema: fills in defaults and reports every mismatch in words. Knows schemas, not
// nodebalancers; single values are judged in `scalar.ts`, what spans several fields in `rules.ts`.
//
// Why not the schema library's own errors: they name keywords ("must be integer"), give one error per union member and
// two per unknown key, do not tell key from value, and know neither what was found nor what was meant.

import { IsArray, IsNull, IsObject, IsOptional, IsUnion, type TArray, type TObject, type TSchema } from 'typebox';
import { Effort } from './effort.ts';
import { describeValue, isRecord, type Path, type Problem, quote } from './problem.ts';
import type { ProblemList } from './problem-list.ts';
import { scalarFault } from './scalar.ts';
import { expectedOf, memberOf, numberOf, refusal, sentenceOn, titleOf } from './schema-words.ts';
import { suggest } from './suggest.ts';

/** A bad value is left out of its mapping and becomes an empty mapping in its list: indexes keep their meaning. */
const BAD = Symbol('bad value');

type Mapping = Readonly<Record<string, unknown>>;

interface Judging {
  readonly problems: ProblemList;
  readonly effort: Effort;
}

/** @returns the value with defaults and without what is bad; undefined when all of it is. `problems` grows. */
export function checkSchema(schema: TSchema, value: unknown, problems: ProblemList): unknown {
  const checked = checkValue({ problems, effort: new Effort() }, schema, value, []);
  return checked === BAD ? undefined : checked;
}

function checkValue(judging: Judging, schema: TSchema, value: unknown, path: Path): unknown {
  if (IsObject(schema)) return checkObject(judging, schema, value, path);
  if (IsArray(schema)) return checkArray(judging, schema, value, path);
  if (IsUnion(schema) && value === null && schema.anyOf.some(IsNull)) return null;
  const describe = scalarFault(memberOf(schema), value, judging.effort);
  if (describe === undefined) return value;
  judging.problems.add(() => {
    const fault = describe();
    return { path, at: 'value', ...fault, expected: fault.expected + (IsUnion(schema) ? ' or null' : '') };
  });
  return BAD;
}

function checkObject(judging: Judging, schema: TObject, value: unknown, path: Path): unknown {
  const { problems } = judging;
  if (!isRecord(value)) {
    problems.add(() => ({ path, at: 'value', found: describeValue(value), expected: expectedOf(schema) }));
    return BAD;
  }
  const misspelled = reportUnknownKeys(schema, value, path, problems);
  const entries: [string, unknown][] = [];
  for (const [key, property] of Object.entries(schema.properties)) {
    const isGiven = Object.hasOwn(value, key);
    if (!isGiven && misspelled.has(key)) continue;
    const filled = isGiven ? value[key] : defaultOf(property);
    const checked = isGiven && filled !== undefined ? checkValue(judging, property, filled, [...path, key]) : filled;
    if (checked !== BAD && checked !== undefined) entries.push([key, checked]);
    else if (filled === undefined && !IsOptional(property)) problems.add(() => missing([...path, key], key, property));
  }
  return Object.fromEntries(entries);
}

/** Not held against its schema each time: a test does, once. */
function defaultOf(schema: TSchema): unknown {
  const value: unknown = Reflect.get(schema, 'default');
  return Array.isArray(value) ? [...value] : value;
}

function missing(path: Path, key: string, schema: TSchema): Problem {
  return { path, at: 'value', found: `no ${key}`, expected: expectedOf(schema), ...sentenceOn(schema, 'required') };
}

/** @returns the keys that unknown ones were probably meant to be: their absence needs no error of its own */
function reportUnknownKeys(schema: TObject, value: Mapping, path: Path, problems: ProblemList): ReadonlySet<string> {
  const misspelled = new Set<string>();
  for (const key of Object.keys(value)) {
    if (Object.hasOwn(schema.properties, key)) continue;
    const { didYouMean } = problems.add(() => unknownKey(schema, value, key, path)) ?? {};
    if (didYouMean !== undefined) misspelled.add(didYouMean);
  }
  return misspelled;
}

function unknownKey(schema: TObject, value: Mapping, key: string, path: Path): Problem {
  const known = Object.keys(schema.properties);
  const absent = known.filter((name) => !Object.hasOwn(value, name));
  const expected = known.length === 1 ? known.join() : `one of ${known.join(', ')}`;
  const problem = { path: [...path, key], at: 'key', expected } as const;
  const why = key === '<<' ? 'merge keys are not supported' : refusal(schema, key);
  if (why !== undefined) return { ...problem, found: `${quote(key)} (${why})` };
  const didYouMean = suggest(key, absent) ?? suggest(key, known);
  const found = `an unknown key ${quote(key)}`;
  return didYouMean === undefined ? { ...problem, found } : { ...problem, found, didYouMean };
}

function checkArray(judging: Judging, schema: TArray, value: unknown, path: Path): unknown {
  if (!Array.isArray(value)) {
    judging.problems.add(() => ({ path, at: 'value', found: describeValue(value), expected: expectedOf(schema) }));
    return BAD;
  }
  const max = numberOf(schema, 'maxItems') ?? value.length;
  if (value.length > max) {
    const found = `${value.length} ${titleOf(schema.items)}s`;
    judging.problems.add(() => ({ path, at: 'value', found, expected: `at most ${max}` }));
  }
  // `map` would skip the holes of a sparse list.
  return Array.from(value.slice(0, max), (item: unknown, index) => {
    const checked = judging.effort.takeItem() ? checkValue(judging, schema.items, item, [...path, index]) : BAD;
    return checked === BAD ? {} : checked;
  });
}
