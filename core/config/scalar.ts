// Holds one value against the schema of a scalar: enum, whole number, boolean, text with its pattern and format.
// Says what is wrong, not where. Nothing is converted: "80" is a text, and a text is no port.

import { IsBoolean, IsEnum, IsInteger, type TSchema } from 'typebox';
import { groupFault, isIpv4, parseIp } from '../base/ip.ts';
import type { Effort } from './effort.ts';
import { BAD_PORT, readNodeAddress } from './node-address.ts';
import { describeValue, type Problem, quote } from './problem.ts';
import { regularExpressionFault } from './regular-expression.ts';
import { expectedOf, type Fails, numberOf, refusal, sentenceOn, textOf } from './schema-words.ts';
import { suggest } from './suggest.ts';

export type Fault = Pick<Problem, 'found' | 'expected' | 'didYouMean' | 'sentence'>;

/** To be called only where it is shown: to find words, and what was meant, takes longer than to judge. */
export type Describe = () => Fault;

/** @returns undefined when the value fits */
export function scalarFault(schema: TSchema, value: unknown, effort: Effort): Describe | undefined {
  if (IsEnum(schema)) return schema.enum.some((one) => one === value) ? undefined : () => enumFault(schema, value);
  if (IsInteger(schema)) return integerFault(schema, value);
  if (IsBoolean(schema)) return typeof value === 'boolean' ? undefined : () => booleanFault(schema, value);
  return textFault(schema, value, effort);
}

function enumFault(schema: TSchema & { readonly enum: readonly (string | number)[] }, value: unknown): Fault {
  if (typeof value !== 'string') return { found: describeValue(value), expected: expectedOf(schema) };
  const why = refusal(schema, value);
  if (why !== undefined) return { found: `${quote(value)} (${why})`, expected: expectedOf(schema) };
  return withHint({ found: quote(value), expected: expectedOf(schema) }, suggest(value, schema.enum.map(String)));
}

function integerFault(schema: TSchema, value: unknown): Describe | undefined {
  if (typeof value !== 'number') return () => noNumber(schema, value);
  const beyond = boundBroken(schema, value);
  if (Number.isInteger(value) && beyond === undefined) return undefined;
  return () => ({ found: String(value), expected: expectedOf(schema), ...sentenceOn(schema, beyond) });
}

function noNumber(schema: TSchema, value: unknown): Fault {
  const expected = expectedOf(schema);
  // No number is longer than this, and a text may be as long as a file.
  const quoted = typeof value === 'string' && /^-?\d{1,20}$/.test(value);
  const words = quoted ? `${expected}, without quotes` : expected;
  return { found: describeValue(value), expected: words, ...sentenceOn(schema, 'kind') };
}

function boundBroken(schema: TSchema, value: number): Fails | undefined {
  if (value < (numberOf(schema, 'minimum') ?? Number.NEGATIVE_INFINITY)) return 'minimum';
  return value > (numberOf(schema, 'maximum') ?? Number.POSITIVE_INFINITY) ? 'maximum' : undefined;
}

/** YAML 1.1 read these as booleans; YAML 1.2 does not. */
const OLD_BOOLEANS: Readonly<Record<string, string>> = { yes: 'true', on: 'true', no: 'false', off: 'false' };

function booleanFault(schema: TSchema, value: unknown): Fault {
  const fault = { found: describeValue(value), expected: expectedOf(schema) };
  if (typeof value !== 'string') return fault;
  const word = value.toLowerCase();
  const old = Object.hasOwn(OLD_BOOLEANS, word) ? OLD_BOOLEANS[word] : undefined;
  return withHint(fault, old ?? suggest(word, ['true', 'false']));
}

function textFault(schema: TSchema, value: unknown, effort: Effort): Describe | undefined {
  if (typeof value !== 'string') return () => noText(schema, value);
  const fault = lengthFault(schema, value) ?? patternFault(schema, value) ?? formatFault(schema, value, effort);
  if (fault === undefined) return undefined;
  const { why, fails } = fault;
  return () => ({
    found: why === '' ? quote(value) : `${quote(value)} (${why})`,
    expected: expectedOf(schema),
    ...sentenceOn(schema, fails),
  });
}

function noText(schema: TSchema, value: unknown): Fault {
  const expected = expectedOf(schema);
  const bare = typeof value === 'number' || typeof value === 'boolean';
  return { found: describeValue(value), expected: bare ? `${expected}, in quotes` : expected };
}

/** What is wrong with a text; `why` is empty when there is no more to say than that it is. */
interface TextFault {
  readonly why: string;
  readonly fails?: Fails;
}

function lengthFault(schema: TSchema, value: string): TextFault | undefined {
  const min = numberOf(schema, 'minLength') ?? 0;
  const max = numberOf(schema, 'maxLength') ?? Number.POSITIVE_INFINITY;
  if (value.length >= min && value.length <= max) return undefined;
  return { why: value.length === 1 ? '1 character' : `${value.length} characters`, fails: 'length' };
}

/** Of the model: a handful, used for each of thousands of values. */
const patterns = new Map<string, RegExp>();

function patternFault(schema: TSchema, value: string): TextFault | undefined {
  const pattern = textOf(schema, 'pattern');
  if (pattern === undefined) return undefined;
  const compiled = patterns.get(pattern) ?? new RegExp(pattern, 'u');
  patterns.set(pattern, compiled);
  return compiled.test(value) ? undefined : { why: '', fails: 'characters' };
}

function formatFault(schema: TSchema, value: string, effort: Effort): TextFault | undefined {
  const format = textOf(schema, 'format');
  if (format === 'regular-expression' && !effort.takeExpression(value)) return undefined;
  const why = formatWhy(format, value);
  if (why === undefined) return undefined;
  return why === BAD_PORT ? { why, fails: 'port' } : { why };
}

function formatWhy(format: string | undefined, value: string): string | undefined {
  switch (format) {
    case 'ipv4':
      return ipv4Fault(value);
    case 'ipv6':
      return ipv6Fault(value);
    case 'node-address':
      return nodeAddressFault(value);
    case 'regular-expression':
      return regularExpressionFault(value);
    default:
      return undefined;
  }
}

/** Linux lets a listener bind to a multicast address, and no client ever reaches it there. */
function ipv4Fault(value: string): string | undefined {
  const ip = value.includes(':') ? undefined : parseIp(value);
  return ip === undefined ? '' : groupFault(ip);
}

function ipv6Fault(value: string): string | undefined {
  const ip = value.includes(':') ? parseIp(value) : undefined;
  if (ip === undefined) return '';
  // An IPv6-only listener cannot be bound to ::ffff:192.0.2.1.
  return isIpv4(ip, 0) ? 'an IPv4 address' : groupFault(ip);
}

function nodeAddressFault(value: string): string | undefined {
  const read = readNodeAddress(value);
  return typeof read === 'string' ? read : undefined;
}

function withHint(fault: Fault, didYouMean: string | undefined): Fault {
  return didYouMean === undefined ? fault : { ...fault, didYouMean };
}
