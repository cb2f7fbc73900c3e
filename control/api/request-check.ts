// A request's body -> values that may be used, or all that is wrong with it, as the API says it: `{field, reason}`. Single values are
// judged by the schema, what spans several by the configuration's own rules: the API and a file are refused for the same reasons. Keys
// that nobody knows are judged before, in unknown-keys.ts; those that come here are refused.

import { IsNull, IsUnion, type TSchema } from 'typebox';
import { checkSchema } from '../../core/config/check.ts';
import type { ConfigDraft, FrontendDraft, NodeBalancerDraft } from '../../core/config/draft.ts';
import type { Config } from '../../core/config/model.ts';
import type { OwnAddresses } from '../../core/config/own-ports.ts';
import { ownProblems } from '../../core/config/own-rules.ts';
import { formatPath, isRecord, type Path, type Problem, quote, reasonOf } from '../../core/config/problem.ts';
import { ruleProblems } from '../../core/config/rules.ts';
import { KeptFieldsSchema } from '../store/kept-fields.ts';
import { ApiError, apiError, type ErrorItem } from './errors.ts';
import { isEmpty } from './foreign-keys.ts';
import type { RequestSchema } from './request-schemas.ts';

type Fields = Readonly<Record<string, unknown>>;

export interface CheckedBody {
  /** good fields, with defaults */
  readonly draft: Fields;
  readonly problems: readonly Problem[];
  /** what was sent, without what asks for nothing */
  readonly given: Fields;
}

/**
 * @param stored what fields that were not sent have: of a change, the present values
 * @throws ApiError when the body is no mapping
 */
export function checkBody(body: unknown, request: RequestSchema, stored: Fields = {}): CheckedBody {
  if (body !== undefined && !isRecord(body)) throw apiError(400, 'The body must be a JSON object.');
  const problems: Problem[] = [];
  const given = withoutForeign(readFields(body ?? {}, request), request, [], problems);
  const draft = checkSchema(request.schema, { ...stored, ...given }, problems);
  return { draft: isRecord(draft) ? draft : {}, problems, given };
}

/** What was said: without what asks for nothing, spelled as here. Null is what clients send for "not said", except where it is a value. */
export function readFields(fields: Fields, request: RequestSchema): Fields {
  const kept = Object.entries(fields).filter(([key, value]) => {
    const foreign = own(request.foreign, key);
    if (foreign !== undefined) return !foreign.asksForNothing(value);
    if (Object.hasOwn(KeptFieldsSchema.properties, key)) return !isEmpty(value);
    return value !== null || takesNull(own(request.schema.properties, key));
  });
  return Object.fromEntries(
    kept.map(([key, value]) => {
      const spell = own(request.spellings, key);
      if (spell !== undefined && typeof value === 'string') return [key, spell(value)];
      return [key, eachItem(request, key, value, readFields)];
    }),
  );
}

/** Where the key has a list of things with a schema of their own. */
export function eachItem(
  request: RequestSchema,
  key: string,
  value: unknown,
  read: (fields: Fields, item: RequestSchema, index: number) => Fields,
): unknown {
  const item = own(request.items, key);
  if (item === undefined || !Array.isArray(value)) return value;
  return value.map((part: unknown, index) => (isRecord(part) ? read(part, item, index) : part));
}

/** What asks for something that only a cloud has is refused here, in its own words. `problems` grows. */
function withoutForeign(fields: Fields, request: RequestSchema, path: Path, problems: Problem[]): Fields {
  const entries = Object.entries(fields).flatMap(([key, value]): [string, unknown][] => {
    const foreign = own(request.foreign, key);
    if (foreign === undefined) {
      const read = (part: Fields, item: RequestSchema, index: number) =>
        withoutForeign(part, item, [...path, key, index], problems);
      return [[key, eachItem(request, key, value, read)]];
    }
    const sentence = foreign.reason;
    problems.push({ path: [...path, key], at: 'value', found: quote(key), expected: 'nothing', sentence });
    return [];
  });
  return Object.fromEntries(entries);
}

export function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

function takesNull(schema: TSchema | undefined): boolean {
  return schema !== undefined && IsUnion(schema) && schema.anyOf.some(IsNull);
}

/** Where in a configuration the thing is that a request is about. */
export interface Focus {
  /** of the nodebalancer, in the draft */
  readonly nodebalancer: number;
  /** below the nodebalancer: `['configs', 0, 'nodes', 2]`; the request's own root */
  readonly within: Path;
  /** what is in force without the request */
  readonly stored: Config;
}

/**
 * What the rules say of a draft, as paths in the request. Rules blame the later of two; so what a request is about must come last in
 * each list of the draft.
 */
export function judge(draft: ConfigDraft, focus: Focus, given: Fields, own: OwnAddresses): readonly Problem[] {
  const root: Path = ['nodebalancers', focus.nodebalancer, ...focus.within];
  const isGiven = (path: Path): boolean => startsWith(path, root) && has(given, path.slice(root.length));
  return [...ruleProblems(draft, isGiven), ...newOwnProblems(draft, focus, own)].map((problem) => ({
    ...problem,
    // What is wrong with the whole belongs to no field of the request.
    path: startsWith(problem.path, root) ? problem.path.slice(root.length) : [],
  }));
}

/**
 * Nodes that the request makes lead back, or to the API. Whoever changes something else does not have to answer for an address that the
 * machine has got since: no session is sent there anyway.
 */
function newOwnProblems({ nodebalancers = [] }: ConfigDraft, { stored }: Focus, own: OwnAddresses): Problem[] {
  const problems = ownProblems(nodebalancers, own);
  if (problems.length === 0) return [];
  const before = new Set(ownProblems(stored.nodebalancers, own).map(({ key }) => key));
  return problems.filter(({ key }) => !before.has(key)).map(({ problem }) => problem);
}

function startsWith(path: Path, root: Path): boolean {
  return root.every((part, index) => path[index] === part);
}

function has(value: unknown, path: Path): boolean {
  let current = value;
  for (const part of path) {
    if (Array.isArray(current) && typeof part === 'number') current = current[part];
    else if (isRecord(current) && Object.hasOwn(current, part)) current = current[part];
    else return false;
  }
  return true;
}

/** @throws ApiError 400 with all of them, unless there are none */
export function refuse(problems: readonly Problem[], others: readonly ErrorItem[] = []): void {
  const errors = [...problems.map(errorOf), ...others];
  if (errors.length > 0) throw new ApiError(400, errors);
}

function errorOf(problem: Problem): ErrorItem {
  const reason = problem.sentence ?? reasonOf(problem);
  const field = formatPath(problem.path);
  return field === '' ? { reason } : { field, reason };
}

/** The same things as drafts, for the rules. */
export type { ConfigDraft, FrontendDraft, NodeBalancerDraft };
