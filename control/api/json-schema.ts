// Schemas as the description of the API publishes them: JSON Schema of 2020-12, which OpenAPI 3.1 asks for. The schema library still
// writes a tuple as `items` with a list, as drafts before that did.

/** @returns the same schema, with every tuple in it in the words of 2020-12 */
export function published(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(published);
  if (typeof schema !== 'object' || schema === null) return schema;
  const entries = Object.entries(schema).map(([key, value]) => [key, published(value)] as const);
  const { items, additionalItems: _none, ...rest }: Record<string, unknown> = Object.fromEntries(entries);
  if (!Array.isArray(items)) return Object.fromEntries(entries);
  // linode-cli's reader wants `items` to be one schema, and knows no `prefixItems` except in alternatives, which it leaves unread.
  const length = { minItems: items.length, maxItems: items.length };
  return { ...rest, items: items[0] ?? {}, ...length, oneOf: [{ type: 'array', prefixItems: items, ...length }] };
}
