// Errors of the API by field: what belongs at which field of a form, and what belongs at none.

import type { ApiFailure, FieldError } from '../api/client.ts';
import { type ConfigDraft, mayHaveChecksum } from './config-draft.ts';

export interface FormErrors {
  /** @param field as the API names it: `port`, `nodes[0].address` */
  readonly at: (field: string) => string | undefined;
  /** those that no field of the form shows */
  readonly others: readonly string[];
  /** as they came: another object for each answer */
  readonly all: readonly FieldError[];
}

/** Of no answer. */
const NONE: readonly FieldError[] = [];

/** @param isShown whether the form has a field of that name @param prefix of the form's fields in the request: `configs[0].` */
export function formErrors(
  failure: ApiFailure | undefined,
  isShown: (field: string) => boolean,
  prefix = '',
): FormErrors {
  const errors = failure?.errors ?? NONE;
  const byField = new Map<string, string[]>();
  const others: string[] = [];
  for (const { field, reason } of errors) {
    // A list that is one field on the page is blamed by item: `tags[1]`.
    const name = field?.startsWith(prefix) ? field.slice(prefix.length).replace(/^(tags)\[\d+\]$/, '$1') : undefined;
    if (name !== undefined && isShown(name)) byField.set(name, [...(byField.get(name) ?? []), reason]);
    else others.push(field === undefined ? reason : `${field}: ${reason}`);
  }
  return { at: (field) => byField.get(field)?.join(' '), others, all: errors };
}

const NODE_FIELDS = ['label', 'address', 'weight', 'mode', 'max_connections', 'slow_start', 'proxy_protocol'];
const CONFIG_FIELDS = [
  'port',
  'protocol',
  'algorithm',
  'stickiness',
  'check',
  'check_passive',
  'queue_size',
  'queue_timeout',
  'nodes',
];
const CHECK_FIELDS = ['check_interval', 'check_timeout', 'check_attempts'];

/** Whether a config's form shows a field of that name: many come and go with the choices before them. */
export function isConfigField(draft: ConfigDraft): (field: string) => boolean {
  const { protocol, check, nodes } = draft;
  const shown = new Set(CONFIG_FIELDS);
  if (protocol === 'tcp') shown.add('proxy_protocol');
  if (mayHaveChecksum(draft)) shown.add('proxy_protocol_crc32c');
  if (check !== 'none') for (const field of CHECK_FIELDS) shown.add(field);
  if (check === 'http' || check === 'http_body') shown.add('check_path');
  if (check === 'http_body') shown.add('check_body');
  return (field) => {
    const [, index, name = ''] = /^nodes\[(\d+)\]\.(.*)$/.exec(field) ?? [];
    return index === undefined ? shown.has(field) : Number(index) < nodes.length && NODE_FIELDS.includes(name);
  };
}

/** The first node with an error, by its place; undefined where none has. */
export function firstNodeWithError({ all }: FormErrors): number | undefined {
  const places = all.flatMap(({ field }) => {
    const place = /^(?:configs\[\d+\]\.)?nodes\[(\d+)\]/.exec(field ?? '')?.[1];
    return place === undefined ? [] : [Number(place)];
  });
  return places.length === 0 ? undefined : Math.min(...places);
}
