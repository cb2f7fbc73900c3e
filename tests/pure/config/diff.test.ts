import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AssertionError } from '../../../core/base/assert.ts';
import { apply, type Change, describeChange, diff } from '../../../core/config/diff.ts';
import type { Config, Frontend } from '../../../core/config/model.ts';
import { holds } from '../../../testing/suite/property.ts';
import { arbitraryConfig, configOf } from './support.ts';

test('the changes between two configurations lead from one to the other', () => {
  holds(
    fc.property(arbitraryConfig, arbitraryConfig, (a, b) => {
      expect(apply(a, diff(a, b))).toEqual(b);
    }),
    { numRuns: 1000 },
  );
});

test('there are none between a configuration and itself', () => {
  holds(
    fc.property(arbitraryConfig, (a) => {
      expect(diff(a, structuredClone(a))).toEqual([]);
    }),
  );
});

test('every change has one line for people', () => {
  holds(
    fc.property(arbitraryConfig, arbitraryConfig, (a, b) => {
      for (const change of diff(a, b)) expect(describeChange(change)).toMatch(/^[^\n]+$/);
    }),
  );
});

/** One frontend edited, wherever there is one. */
function editFrontend(config: Config, i: number, edit: (frontend: Frontend) => Frontend): Config {
  const nodebalancers = config.nodebalancers.map((nodebalancer) => ({
    ...nodebalancer,
    configs: nodebalancer.configs.map((frontend, j) =>
      j === i % nodebalancer.configs.length ? edit(frontend) : frontend,
    ),
  }));
  return { nodebalancers };
}

test('small steps, one after the other, arrive too', () => {
  const edit = fc.constantFrom<(frontend: Frontend) => Frontend>(
    (frontend) => ({ ...frontend, nodes: frontend.nodes.toReversed() }),
    (frontend) => ({ ...frontend, nodes: frontend.nodes.slice(1) }),
    (frontend) => ({ ...frontend, check_interval: frontend.check_interval + 1 }),
    (frontend) => ({ ...frontend, nodes: frontend.nodes.map((node) => ({ ...node, mode: 'drain' })) }),
    (frontend) => ({ ...frontend, port: frontend.port + 10 }),
    (frontend) => ({
      ...frontend,
      nodes: [
        ...frontend.nodes.filter(({ label }) => label !== 'new'),
        {
          label: 'new',
          address: 'new:1',
          weight: frontend.nodes.length + 1,
          mode: 'accept',
          max_connections: 0,
          slow_start: 0,
          proxy_protocol: null,
        },
      ],
    }),
  );
  holds(
    fc.property(arbitraryConfig, fc.array(fc.tuple(fc.nat(3), edit), { maxLength: 8 }), (start, edits) => {
      let applied = start;
      let wanted = start;
      for (const [i, change] of edits) {
        const next = editFrontend(wanted, i, change);
        applied = apply(applied, diff(wanted, next));
        wanted = next;
      }
      expect(applied).toEqual(wanted);
    }),
  );
});

const BEFORE = `nodebalancers:
  - label: web
    configs:
      - port: 80
        nodes:
          - { label: web-1, address: "192.0.2.1:80" }
          - { label: web-2, address: "192.0.2.2:80" }
      - port: 443
`;

function linesFrom(edit: (text: string) => string): string[] {
  return diff(configOf(BEFORE), configOf(edit(BEFORE))).map(describeChange);
}

describe('a change is as small as what changed', () => {
  test.each<[string, (text: string) => string, string[]]>([
    [
      'a field of a frontend',
      (t) => t.replace('port: 80\n', 'port: 80\n        proxy_protocol: v2\n'),
      ['web port 80: proxy_protocol none -> v2'],
    ],
    [
      'several fields',
      (t) => t.replace('port: 443', 'port: 443\n        check_passive: false\n        check_path: "/a?b"'),
      ['web port 443: check_path "" -> "/a?b", check_passive true -> false'],
    ],
    [
      'a field of a nodebalancer',
      (t) => t.replace('label: web\n', 'label: web\n    ipv6: "::"\n'),
      ['web: ipv6 none -> ::'],
    ],
    [
      'a field of a node',
      (t) => t.replace('2.2:80"', '2.2:80", weight: 9, mode: drain'),
      ['web port 80: node web-2 (192.0.2.2:80) weight 50 -> 9, mode accept -> drain'],
    ],
    [
      'another address is another node',
      (t) => t.replace('192.0.2.1:80', '192.0.2.9:80'),
      [
        'web port 80: node web-1 (192.0.2.1:80) removed',
        'web port 80: node web-1 (192.0.2.9:80) added, weight 50, accept',
        'web port 80: nodes reordered: web-1, web-2',
      ],
    ],
    ['a node goes', (t) => t.replace(/ +- { label: web-1.*\n/, ''), ['web port 80: node web-1 (192.0.2.1:80) removed']],
    [
      'another port is another frontend',
      (t) => t.replace('443', '444'),
      ['web port 443: removed', 'web port 444: added, 0 nodes'],
    ],
    [
      'another label is another nodebalancer',
      (t) => t.replace('label: web\n', 'label: shop\n'),
      ['web: removed', 'shop: added, 2 configs'],
    ],
    [
      'the order of nodes',
      (t) =>
        t
          .replace('web-1', 'x')
          .replace('web-2', 'web-1')
          .replace('x', 'web-2')
          .replace('2.1:', 'y')
          .replace('2.2:', '2.1:')
          .replace('y', '2.2:'),
      ['web port 80: nodes reordered: web-2, web-1'],
    ],
    [
      'the order of frontends',
      (t) =>
        `${t.slice(0, t.indexOf('      - port: 80'))}      - port: 443\n${t.slice(t.indexOf('      - port: 80')).replace('      - port: 443\n', '')}`,
      ['web: ports reordered: 443, 80'],
    ],
    [
      'a nodebalancer comes',
      (t) => `${t}  - { label: abc, ipv4: 127.0.0.1, configs: [{ port: 80 }] }\n`,
      ['web: ipv4 0.0.0.0 -> 127.0.0.2', 'abc: added, 1 config'],
    ],
  ])('%s', (name, edit, lines) => {
    const withAddress = (text: string) =>
      name === 'a nodebalancer comes' ? text.replace('label: web\n', 'label: web\n    ipv4: 127.0.0.2\n') : text;
    expect(linesFrom((text) => withAddress(edit(text)))).toEqual(lines);
  });

  test('fields come with both values', () => {
    const from = configOf(BEFORE);
    const to = configOf(BEFORE.replace('port: 443', 'port: 443\n        algorithm: source'));
    expect(diff(from, to)).toEqual<Change[]>([
      {
        kind: 'frontend-changed',
        label: 'web',
        port: 443,
        fields: [{ field: 'algorithm', from: 'roundrobin', to: 'source' }],
      },
    ]);
  });

  test('a reordering of nodebalancers names them all', () => {
    const one = configOf('nodebalancers: [{ label: one }, { label: two }]');
    const two = configOf('nodebalancers: [{ label: two }, { label: one }]');
    expect(diff(one, two).map(describeChange)).toEqual(['nodebalancers reordered: two, one']);
  });
});

test('changes for another configuration are a bug of the caller', () => {
  const other: Change = { kind: 'frontend-removed', label: 'web', port: 81 };
  expect(() => apply(configOf(BEFORE), [other])).toThrow(AssertionError);
});
