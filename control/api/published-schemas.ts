// Request schemas as the API's description shows them. The schemas that bodies are checked with say what is there after checking, so
// every field with a default is required in them; a client may leave it out. Describes only; nothing is checked with these.

import { IsArray, type TSchema } from 'typebox';
import type { RequestSchema } from './request-schemas.ts';

type JsonSchema = Readonly<Record<string, unknown>>;

const FOREIGN: JsonSchema = {
  description: 'Known from the Linode API. Null and empty pass; what asks for something that is not here is refused.',
};

/** A thing that is made: fields without a default are required. @param required fields besides */
export function publishedForNew(request: RequestSchema, required: readonly string[] = []): JsonSchema {
  const needed = (request.schema.required ?? []).filter(
    (key) => defaultOf(request.schema.properties[key]) === undefined,
  );
  return objectOf(request, [...needed, ...required], (schema) => ({ ...schema }));
}

/** A thing that is changed: what is left out stays. @param required fields that are needed all the same */
export function publishedForChange(request: RequestSchema, required: readonly string[] = []): JsonSchema {
  return objectOf(request, required, ({ default: _default, ...schema }: JsonSchema) => schema);
}

function objectOf(
  request: RequestSchema,
  required: readonly string[],
  describe: (schema: JsonSchema) => JsonSchema,
): JsonSchema {
  const properties = Object.entries(request.schema.properties).map(([key, schema]): [string, JsonSchema] => {
    const item = Object.hasOwn(request.items, key) ? request.items[key] : undefined;
    const described = describe(schema as JsonSchema);
    if (item !== undefined && IsArray(schema)) return [key, { ...described, items: publishedForNew(item) }];
    return [key, request.extensions.includes(key) ? { ...described, 'x-extension': true } : described];
  });
  const foreign = Object.keys(request.foreign).map((key): [string, JsonSchema] => [key, FOREIGN]);
  return {
    type: 'object',
    properties: Object.fromEntries([...properties, ...foreign]),
    ...(required.length === 0 ? {} : { required }),
    description: 'Keys that are not listed here are ignored, and named in the header "warnings" of the answer.',
  };
}

function defaultOf(schema: TSchema | undefined): unknown {
  return schema === undefined ? undefined : Reflect.get(schema, 'default');
}
