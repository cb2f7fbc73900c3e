import { expect, test } from 'vitest';
import { bodyOf, newConfig, newNode, repeatedLabels } from '../../../manager/src/forms/config-draft.ts';

test('an emptied number is sent as it is, so that the API refuses it: left out it would be a default that nobody has seen', () => {
  const draft = { ...newConfig(''), check_interval: ' ', queue_size: '7' };
  expect(bodyOf(draft)).toMatchObject({ port: '', check_interval: '', queue_size: 7 });
});

test('of a check that there is not, an emptied number asks for nothing: its field is not shown', () => {
  const body = bodyOf({ ...newConfig('80'), check: 'none', check_interval: '' });
  expect(body).not.toHaveProperty('check_interval');
  expect(body).toMatchObject({ check_timeout: 3 });
});

test('labels that several nodes have are warned of, each once; nodes without one are not', () => {
  const nodes = ['web-1', '', 'web-2', 'web-1', '', 'web-3', 'web-1', 'web-3'].map((label) => ({
    ...newNode(),
    label,
  }));
  expect(repeatedLabels({ nodes })).toEqual(['web-1', 'web-3']);
  expect(repeatedLabels({ nodes: nodes.slice(0, 3) })).toEqual([]);
});
