// A request's body -> values that may be used, or all that is wrong with it, as the API says it: `{field, reason}`. Single values are
// judged by the schema, what spans several by the configuration's own rules: the API and a file are refused for the same reasons. Keys
// that nobody knows are judged before, in unknown-keys.ts; those that come here are refused.

import { IsNull, IsUnion, type TSchema } from 'typebox';
import { checkSchema } from '../../core/config/check.ts';
import type { ConfigDraft, FrontendDraft, NodeBalancerDraft } from '../../core/config/draft.ts';
import { PROBLEMS_MAX } from '../../core/config/limits.ts';
import type { Config } from '../../core/config/model.ts';
import type { OwnAddresses } from '../../core/config/own-ports.ts';
import { type OwnProblem, ownProblems } from '../../core/config/own-rules.ts';
import { formatPath, isRecord, type Path, type Problem, quote, reasonOf } from '../../core/config/problem.ts';
import { ProblemList, type Problems } from '../../core/config/problem-list.ts';
import { judgeRules } from '../../core/config/rules.ts';
import { numberOf } from '../../core/config/schema-words.ts';
import { KeptFieldsSchema } from '../store/kept-fields.ts';
import { ApiError, apiError, type ErrorItem } from './errors.ts';
import { isEmpty } from './foreign-keys.ts';
import type { RequestSchema } from './request-schemas.ts';

type Fields = Readonly<Record<string, unknown>>;

export interface CheckedBody {
  /** good fields, with defaults */
  readonly draft: Fields;
  readonly problems: Problems;
  /** what was sent, without what asks for nothing */
  readonly given: Fields;
}

/**
 * @param stored what fields that were not sent have: of a change, the present values @param problems grows
 * @throws ApiError when the body is no mapping
 */
export function checkBody(
  body: unknown,
  request: RequestSchema,
  stored: Fields = {},
  problems: ProblemList = new ProblemList(),
): CheckedBody {
  if (body !== undefined && !isRecord(body)) throw apiError(400, 'The body must be a JSON object.');
  const given = withoutForeign(readFields(body ?? {}, request, problems), request, [], problems);
  const draft = checkSchema(request.schema, { ...stored, ...given }, problems);
  return { draft: isRecord(draft) ? draft : {}, problems, given };
}

/**
 * What was said: without what asks for nothing, spelled as here. Null is what clients send for "not said", except where it is a value.
 * @param problems told of unknown keys past those that can be shown: they are left out
 */
export function readFields(fields: Fields, request: RequestSchema, problems: ProblemList): Fields {
  const read: [string, unknown][] = [];
  let unknown = 0;
  for (const key of Object.keys(fields)) {
    const value = fields[key];
    if (asksForNothing(key, value, request)) continue;
    // A hundred thousand of them in a mapping make each copy of it cost a tenth of a second.
    if (!isKnown(key, request) && ++unknown > PROBLEMS_MAX) problems.addUnseen();
    else read.push([key, readValue(key, value, request, problems)]);
  }
  return Object.fromEntries(read);
}

function asksForNothing(key: string, value: unknown, request: RequestSchema): boolean {
  const foreign = own(request.foreign, key);
  if (foreign !== undefined) return foreign.asksForNothing(value);
  if (Object.hasOwn(KeptFieldsSchema.properties, key)) return isEmpty(value);
  return value === null && !takesNull(own(request.schema.properties, key));
}

export function isKnown(key: string, { schema, foreign }: RequestSchema): boolean {
  return Object.hasOwn(schema.properties, key) || Object.hasOwn(foreign, key);
}

function readValue(key: string, value: unknown, request: RequestSchema, problems: ProblemList): unknown {
  const spell = own(request.spellings, key);
  if (spell !== undefined && typeof value === 'string') return spell(value);
  return eachItem(request, key, value, (part, item) => readFields(part, item, problems));
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
  // What is beyond the limit is not judged either.
  const max = numberOf(request.schema.properties[key] ?? {}, 'maxItems') ?? value.length;
  return value.map((part: unknown, index) => (isRecord(part) && index < max ? read(part, item, index) : part));
}

/** What asks for something that only a cloud has is refused here, in its own words. `problems` grows. */
function withoutForeign(fields: Fields, request: RequestSchema, path: Path, problems: ProblemList): Fields {
  const entries = Object.entries(fields).flatMap(([key, value]): [string, unknown][] => {
    const foreign = own(request.foreign, key);
    if (foreign === undefined) {
      const read = (part: Fields, item: RequestSchema, index: number) =>
        withoutForeign(part, item, [...path, key, index], problems);
      return [[key, eachItem(request, key, value, read)]];
    }
    const sentence = foreign.reason;
    problems.add(() => ({ path: [...path, key], at: 'value', found: quote(key), expected: 'nothing', sentence }));
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
export function judge(draft: ConfigDraft, focus: Focus, given: Fields, own: OwnAddresses): Problems {
  const root: Path = ['nodebalancers', focus.nodebalancer, ...focus.within];
  const isGiven = (path: Path): boolean => startsWith(path, root) && has(given, path.slice(root.length));
  const problems = new ProblemList();
  judgeRules(draft, isGiven, problems);
  for (const { describe } of newOwnProblems(draft, focus, own)) problems.add(describe);
  const shown = problems.shown.map((problem) => ({
    ...problem,
    // What is wrong with the whole belongs to no field of the request.
    path: startsWith(problem.path, root) ? problem.path.slice(root.length) : [],
  }));
  return { shown, more: problems.more };
}

/**
 * Nodes that the request makes lead back, or to the API. Whoever changes something else does not have to answer for an address that the
 * machine has got since: no session is sent there anyway.
 */
function newOwnProblems({ nodebalancers = [] }: ConfigDraft, { stored }: Focus, own: OwnAddresses): OwnProblem[] {
  const problems = ownProblems(nodebalancers, own);
  if (problems.length === 0) return [];
  const before = new Set(ownProblems(stored.nodebalancers, own).map(({ key }) => key));
  return problems.filter(({ key }) => !before.has(key));
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

/** @throws ApiError 400 with the first hundred and the number of the others, unless there are none */
export function refuse(judgements: readonly Problems[], others: readonly ErrorItem[] = []): void {
  const errors = [...judgements.flatMap(({ shown }) => shown.map(errorOf)), ...others];
  if (errors.length === 0) return;
  const more = judgements.reduce((sum, judgement) => sum + judgement.more, Math.max(0, errors.length - PROBLEMS_MAX));
  const told = errors.slice(0, PROBLEMS_MAX);
  throw new ApiError(400, more === 0 ? told : [...told, { reason: `and ${more} more` }]);
}

function errorOf(problem: Problem): ErrorItem {
  const reason = problem.sentence ?? reasonOf(problem);
  const field = formatPath(problem.path);
  return field === '' ? { reason } : { field, reason };
}

/** The same things as drafts, for the rules. */
export type { ConfigDraft, FrontendDraft, NodeBalancerDraft };
