// An unknown value -> a whole configuration, or all that is wrong with it. The one gate for every source: a file comes
// here from `parse.ts` with positions, other sources come with paths alone. Never throws because of the value.

import type { Static, TSchema } from 'typebox';
import { assert } from '../base/assert.ts';
import { checkSchema } from './check.ts';
import { ConfigDraftSchema } from './draft.ts';
import { type Config, ConfigSchema } from './model.ts';
import { type OwnAddresses, UNKNOWN_MACHINE } from './own-ports.ts';
import { ownProblems } from './own-rules.ts';
import { isRecord, type Path } from './problem.ts';
import { ProblemList, type Problems } from './problem-list.ts';
import { judgeRules } from './rules.ts';
import { type Remark, remarksOn } from './warnings.ts';

export type Validated =
  | { readonly config: Config; readonly remarks: readonly Remark[] }
  | { readonly problems: Problems };

/** @param own what of nodes' addresses is this balancer itself; left out, only loopback and the configuration's own addresses are */
export function validateConfig(input: unknown, own: OwnAddresses = UNKNOWN_MACHINE): Validated {
  const problems = new ProblemList();
  const draft = checkSchema(ConfigSchema, input, problems);
  // A draft says nothing only where the whole input is of the wrong kind.
  if (draft === undefined) return { problems };
  assert(fits(ConfigDraftSchema, draft), 'what the walker lets through fits the schema');
  judgeRules(draft, (path) => isGiven(input, path), problems);
  for (const { describe } of ownProblems(draft.nodebalancers ?? [], own)) problems.add(describe);
  if (!problems.isEmpty) return { problems };
  assert(fits(ConfigSchema, draft), 'without problems, nothing is missing');
  return { config: draft, remarks: remarksOn(draft, own) };
}

/**
 * The same fact for the type checker. The schema library has a function for it (a test holds the two against each other), and it
 * would double the time that a start takes to load the library.
 */
function fits<Schema extends TSchema>(schema: Schema, value: unknown): value is Static<Schema> {
  const problems = new ProblemList();
  checkSchema(schema, value, problems);
  return problems.isEmpty;
}

function isGiven(input: unknown, path: Path): boolean {
  let value = input;
  for (const part of path) {
    if (Array.isArray(value) && typeof part === 'number') value = value[part];
    else if (isRecord(value) && Object.hasOwn(value, part)) value = value[part];
    else return false;
  }
  return true;
}
