// Keys of a body that no client of the Linode API knows. A cloud takes them without a word, and its clients' own tests send some; so they
// are ignored here too, and named in a header, for whoever has misspelled one. The page is ours: what it sends must be right.

import type { FastifyReply, FastifyRequest } from 'fastify';
import { formatPath, isRecord, type Path } from '../../core/config/problem.ts';
import { suggest } from '../../core/config/suggest.ts';
import { eachItem, isKnown } from './request-check.ts';
import type { RequestSchema } from './request-schemas.ts';

export const WARNINGS_HEADER = 'warnings';

const NAMED_MAX = 20;
/** clients take some 8 to 16 KiB of headers in all */
const HEADER_CHARS_MAX = 2000;

type Fields = Readonly<Record<string, unknown>>;

/** Who sends a hundred thousand of them hears of the first, and of how many there were. */
interface UnknownKeys {
  readonly named: { readonly path: Path; readonly didYouMean: string | undefined }[];
  count: number;
}

/** @returns the body of a write without the keys that nobody knows, which the answer names; of the page, the body as it came */
export function readBody(request: FastifyRequest, reply: FastifyReply, schema: RequestSchema): unknown {
  const { body } = request;
  if (!isRecord(body) || isOfPage(request)) return body;
  const unknown: UnknownKeys = { named: [], count: 0 };
  const known = withoutUnknown(body, schema, [], unknown);
  if (unknown.count > 0) reply.header(WARNINGS_HEADER, warningOf(unknown));
  return known;
}

/** Its changes carry what nobody else can know, in this header: see auth.ts. */
function isOfPage({ headers }: FastifyRequest): boolean {
  return headers['x-csrf-token'] !== undefined && headers.authorization === undefined;
}

function withoutUnknown(fields: Fields, schema: RequestSchema, path: Path, unknown: UnknownKeys): Fields {
  const entries: [string, unknown][] = [];
  for (const key of Object.keys(fields)) {
    if (!isKnown(key, schema)) {
      note(unknown, key, schema, path);
      continue;
    }
    const read = (part: Fields, item: RequestSchema, index: number) =>
      withoutUnknown(part, item, [...path, key, index], unknown);
    entries.push([key, eachItem(schema, key, fields[key], read)]);
  }
  return Object.fromEntries(entries);
}

function note(unknown: UnknownKeys, key: string, { schema }: RequestSchema, path: Path): void {
  unknown.count++;
  if (unknown.named.length === NAMED_MAX) return;
  unknown.named.push({ path: [...path, key], didYouMean: suggest(key, Object.keys(schema.properties)) });
}

/** `ignored as unknown: lable (did you mean label?), configs[0].nodes[1].wieght` */
function warningOf(unknown: UnknownKeys): string {
  const named: string[] = [];
  let chars = 0;
  for (const { path, didYouMean } of unknown.named) {
    const name = inAscii(formatPath(path)) + (didYouMean === undefined ? '' : ` (did you mean ${didYouMean}?)`);
    chars += name.length;
    if (chars > HEADER_CHARS_MAX) break;
    named.push(name);
  }
  const others = unknown.count - named.length;
  return `ignored as unknown: ${[...named, ...(others === 0 ? [] : [`and ${others} more`])].join(', ')}`;
}

/** A header has no other characters; what is no printable text was escaped before. */
function inAscii(text: string): string {
  return text.replace(/[^ -~]/gu, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}
