// Errors of the API by field: what belongs at which field of a form, and what belongs at none.

import type { ApiFailure, FieldError } from '../api/client.ts';

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
    const name = field?.startsWith(prefix) ? field.slice(prefix.length) : undefined;
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
  'proxy_protocol',
  'proxy_protocol_crc32c',
  'check',
  'check_path',
  'check_body',
  'check_interval',
  'check_timeout',
  'check_attempts',
  'check_passive',
  'queue_size',
  'queue_timeout',
  'nodes',
];

/** Whether a config's form has a field of that name. @param nodes how many it has */
export function isConfigField(nodes: number): (field: string) => boolean {
  return (field) => {
    const [, index, name = ''] = /^nodes\[(\d+)\]\.(.*)$/.exec(field) ?? [];
    return index === undefined ? CONFIG_FIELDS.includes(field) : Number(index) < nodes && NODE_FIELDS.includes(name);
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
