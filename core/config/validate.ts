// An unknown value -> a whole configuration, or all that is wrong with it. The one gate for every source: a file comes
// here from `parse.ts` with positions, other sources come with paths alone. Never throws because of the value.

import { Check } from 'typebox/value';
import { assert } from '../base/assert.ts';
import { checkSchema } from './check.ts';
import { ConfigDraftSchema } from './draft.ts';
import { type Config, ConfigSchema } from './model.ts';
import { isRecord, type Path, type Problem } from './problem.ts';
import { ruleProblems } from './rules.ts';
import { type Remark, remarksOn } from './warnings.ts';

export type Validated =
  | { readonly config: Config; readonly remarks: readonly Remark[] }
  | { readonly problems: readonly Problem[] };

export function validateConfig(input: unknown): Validated {
  const problems: Problem[] = [];
  const draft = checkSchema(ConfigSchema, input, problems);
  // A draft says nothing only where the whole input is of the wrong kind.
  if (draft === undefined) return { problems };
  assert(Check(ConfigDraftSchema, draft), 'what the walker lets through fits the schema');
  problems.push(...ruleProblems(draft, (path) => isGiven(input, path)));
  if (problems.length > 0) return { problems };
  // The same fact for the type checker, and a second pair of eyes on the walker.
  assert(Check(ConfigSchema, draft), 'without problems, nothing is missing');
  return { config: draft, remarks: remarksOn(draft) };
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
