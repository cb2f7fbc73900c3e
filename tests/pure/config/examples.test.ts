import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FrontendSchema, NodeBalancerSchema, NodeSchema } from '../../../core/config/model.ts';
import { configOf, warningLines } from './support.ts';

function example(name: string): string {
  return readFileSync(join(import.meta.dirname, '../../../examples', name), 'utf8');
}

test.each(['balancer.yaml', 'minimal.yaml'])('%s is a configuration without warnings', (name) => {
  expect(warningLines(example(name))).toEqual([]);
});

test('balancer.yaml shows every key', () => {
  const text = example('balancer.yaml');
  const keys = [NodeBalancerSchema, FrontendSchema, NodeSchema].flatMap(({ properties }) => Object.keys(properties));
  expect(keys.filter((key) => !new RegExp(`^ +(- )?${key}:`, 'm').test(text))).toEqual([]);
});

test('minimal.yaml says only what has no default', () => {
  const { nodebalancers } = configOf(example('minimal.yaml'));
  expect(nodebalancers[0]?.configs[0]).toMatchObject({ port: 8080, proxy_protocol: 'none' });
});
