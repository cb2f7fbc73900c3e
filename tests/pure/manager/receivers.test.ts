// Which nodes of a config get which header while it is edited: as the data path has it, where a node's own version goes before the
// config's.

import { expect, test } from 'vitest';
import {
  mayHaveChecksum,
  type NodeDraft,
  newConfig,
  newNode,
  receiversOf,
  withProxyProtocol,
} from '../../../manager/src/forms/config-draft.ts';

function shown(config: 'none' | 'v1' | 'v2', own: readonly NodeDraft['proxy_protocol'][]): string[] {
  const nodes = own.map((proxy_protocol, index) => ({ ...newNode(), label: `node-${index}`, proxy_protocol }));
  return receiversOf({ ...newConfig('80'), proxy_protocol: config, nodes }).map(
    ({ version, isOfConfig, nodes }) =>
      `${version}${isOfConfig ? ' of the config' : ''}: ${nodes.map(({ label }) => label).join(' ')}`,
  );
}

test('all by the config', () => {
  expect(shown('v2', ['config', 'config'])).toEqual(['v2 of the config: node-0 node-1']);
});

test('a node that says the same as the config is among its own', () => {
  expect(shown('v1', ['v1', 'config'])).toEqual(['v1 of the config: node-0 node-1']);
});

test('a pool that is converted node by node', () => {
  expect(shown('none', ['v2', 'config', 'v1', 'v2'])).toEqual([
    'none of the config: node-1',
    'v2: node-0 node-3',
    'v1: node-2',
  ]);
});

test('what no node gets is not shown', () => {
  expect(shown('v1', ['v2', 'none'])).toEqual(['v2: node-0', 'none: node-1']);
});

test('without nodes it is the config’s', () => {
  expect(shown('v1', [])).toEqual(['v1 of the config: ']);
});

test('a checksum is offered while anybody gets v2, and goes with the last of them', () => {
  const node = { ...newNode(), proxy_protocol: 'v2' } as const;
  const byConfig = { ...newConfig('80'), proxy_protocol: 'v2', proxy_protocol_crc32c: true } as const;
  const byNode = { ...byConfig, nodes: [node] };
  expect(mayHaveChecksum({ ...newConfig('80'), nodes: [node] })).toBe(true);
  expect(mayHaveChecksum(newConfig('80'))).toBe(false);
  expect(withProxyProtocol(byConfig, 'v1')).toMatchObject({ proxy_protocol: 'v1', proxy_protocol_crc32c: false });
  expect(withProxyProtocol(byNode, 'v1')).toMatchObject({ proxy_protocol: 'v1', proxy_protocol_crc32c: true });
});

test('a checksum that nobody can have any more can be switched off', () => {
  expect(mayHaveChecksum({ ...newConfig('80'), proxy_protocol_crc32c: true })).toBe(true);
});
