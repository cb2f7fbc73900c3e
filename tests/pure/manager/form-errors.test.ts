// Where the page shows what the API says is wrong: at the field, as long as the form shows that field; else below the form. An error
// that is shown nowhere makes Save a button that does nothing.

import { describe, expect, test } from 'vitest';
import { ApiFailure, type FieldError } from '../../../manager/src/api/client.ts';
import { type ConfigDraft, newConfig } from '../../../manager/src/forms/config-draft.ts';
import { formErrors, isConfigField } from '../../../manager/src/forms/errors.ts';

const refused = (...errors: FieldError[]) => new ApiFailure(400, errors);

describe('a config’s form', () => {
  const errorsOf = (draft: Partial<ConfigDraft>, field: string) =>
    formErrors(refused({ field, reason: 'is wrong' }), isConfigField({ ...newConfig('80'), ...draft }));

  test.each<[string, Partial<ConfigDraft>, Partial<ConfigDraft>]>([
    ['check_interval', { check: 'connection' }, { check: 'none' }],
    ['check_timeout', { check: 'http' }, { check: 'none' }],
    ['check_attempts', { check: 'http_body' }, { check: 'none' }],
    ['check_path', { check: 'http' }, { check: 'connection' }],
    ['check_body', { check: 'http_body' }, { check: 'http' }],
    ['proxy_protocol', { protocol: 'tcp' }, { protocol: 'http' }],
    ['proxy_protocol_crc32c', { proxy_protocol: 'v2' }, { proxy_protocol: 'v1' }],
  ])('%s is blamed at its field while that shows, else below', (field, showing, hiding) => {
    expect(errorsOf(showing, field)).toMatchObject({ others: [] });
    expect(errorsOf(showing, field).at(field)).toBe('is wrong');
    expect(errorsOf(hiding, field)).toMatchObject({ others: [`${field}: is wrong`] });
    expect(errorsOf(hiding, field).at(field)).toBeUndefined();
  });

  test('a node’s error stands at its row, and below where there is no such row', () => {
    expect(errorsOf({}, 'nodes[0].address').at('nodes[0].address')).toBe('is wrong');
    expect(errorsOf({}, 'nodes[1].address').others).toEqual(['nodes[1].address: is wrong']);
    expect(errorsOf({}, 'nodes[0].id').others).toEqual(['nodes[0].id: is wrong']);
  });
});

test('an item of a list that is one field is blamed at that field', () => {
  const errors = formErrors(refused({ field: 'tags[1]', reason: 'is short' }), (field) => field === 'tags');
  expect(errors.at('tags')).toBe('is short');
  expect(errors.others).toEqual([]);
});
