// Errors of the API by field: what belongs at which field of a form, and what belongs at none.

import type { FieldError } from '../api/client.ts';

export interface FormErrors {
  /** @param field as the API names it: `port`, `nodes[0].address` */
  readonly at: (field: string) => string | undefined;
  /** those that no field of the form shows */
  readonly others: readonly string[];
}

/** @param fields the names of all fields that the form shows @param prefix of the form's fields in the request: `configs[0].` */
export function formErrors(errors: readonly FieldError[], fields: readonly string[], prefix = ''): FormErrors {
  const shown = new Set(fields);
  const byField = new Map<string, string[]>();
  const others: string[] = [];
  for (const { field, reason } of errors) {
    const name = field?.startsWith(prefix) ? field.slice(prefix.length) : undefined;
    if (name !== undefined && shown.has(name)) byField.set(name, [...(byField.get(name) ?? []), reason]);
    else others.push(field === undefined ? reason : `${field}: ${reason}`);
  }
  return { at: (field) => byField.get(field)?.join(' '), others };
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
];

/** The fields of a config's form. */
export function configFields(nodes: number): readonly string[] {
  const nodeFields = Array.from({ length: nodes }, (_, index) => NODE_FIELDS.map((name) => `nodes[${index}].${name}`));
  return [...CONFIG_FIELDS, ...nodeFields.flat()];
}
