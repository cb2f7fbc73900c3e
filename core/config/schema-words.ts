// A schema in words: what it expects, and why it refuses what people know from elsewhere. Reads the model's keywords
// (see `model.ts`); judges nothing.

import { IsArray, IsEnum, IsInteger, IsNull, IsObject, IsString, IsUnion, type TSchema } from 'typebox';
import { isRecord, oneOf } from './problem.ts';

/** What belongs in a place. */
export function expectedOf(schema: TSchema): string {
  if (IsObject(schema)) return `a mapping with ${Object.keys(schema.properties).join(', ')}`;
  if (IsArray(schema)) return `a list of ${titleOf(schema.items)}s`;
  if (IsUnion(schema)) return `${expectedOf(memberOf(schema))} or null`;
  if (IsEnum(schema)) return oneOf(schema.enum);
  if (IsInteger(schema)) {
    return `a whole number from ${numberOf(schema, 'minimum')} to ${numberOf(schema, 'maximum')}`;
  }
  return textOf(schema, 'x-expected') ?? (IsString(schema) ? 'a text' : 'true or false');
}

export function titleOf(schema: TSchema): string {
  return textOf(schema, 'title') ?? 'item';
}

/** The only unions of the model are "this or null". */
export function memberOf(schema: TSchema): TSchema {
  return IsUnion(schema) ? (schema.anyOf.find((member) => !IsNull(member)) ?? schema) : schema;
}

/** Why a value or key that people know from elsewhere is not accepted here. */
export function refusal(schema: TSchema, name: string): string | undefined {
  const refused: unknown = Reflect.get(schema, 'x-refused');
  return isRecord(refused) && Object.hasOwn(refused, name) ? String(refused[name]) : undefined;
}

/** What can be wrong with a value that the Linode API has a sentence for; `port`: of a node address. */
export type Fails = 'required' | 'kind' | 'minimum' | 'maximum' | 'length' | 'characters' | 'port';

/** @returns to be spread into a problem: empty where the API has no sentence */
export function sentenceOn(schema: TSchema, fails: Fails | undefined): { readonly sentence?: string } {
  const sentences: unknown = Reflect.get(schema, 'x-sentences');
  const sentence = fails === undefined || !isRecord(sentences) ? undefined : sentences[fails];
  return typeof sentence === 'string' ? { sentence } : {};
}

export function textOf(schema: TSchema, keyword: string): string | undefined {
  const value: unknown = Reflect.get(schema, keyword);
  return typeof value === 'string' ? value : undefined;
}

export function numberOf(schema: TSchema, keyword: string): number | undefined {
  const value: unknown = Reflect.get(schema, keyword);
  return typeof value === 'number' ? value : undefined;
}
