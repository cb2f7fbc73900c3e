// Whatever is sent: an answer that is none of our own mistakes, and an inventory that is either sound or untouched.

import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Inventory } from '../../../../../control/store/inventory.ts';
import { holdsAsync } from '../../../../../testing/suite/property.ts';
import { type Lab, startLab } from '../support.ts';
import { expectSound, idsOf, makeNodeBalancer, NODEBALANCERS, type Places } from './support.ts';

let lab: Lab;
let places: Places;
beforeEach(async () => {
  lab = startLab({ addresses: [] });
  places = await makeNodeBalancer(lab, {
    port: 80,
    nodes: [
      { label: 'one', address: '10.0.0.1:80' },
      { label: 'two', address: '10.0.0.2:80' },
    ],
  });
});
afterEach(async () => {
  expect(lab.faults).toEqual([]);
  await lab.close();
});

type Method = 'POST' | 'PUT';
type Write = readonly [Method, path: string];

async function send([method, path]: Write, body: unknown): Promise<number> {
  // Each in a minute of its own: the limit of requests is not what is tried here.
  lab.clockMs += 60_000;
  const before = lab.store.read();
  const { applied, config } = lab.plane;
  const answer = await lab.ask(method, path, body);
  const after = lab.store.read();
  expect([200, 400], `${method} ${path} ${JSON.stringify(body)}: ${JSON.stringify(answer.body)}`).toContain(
    answer.status,
  );
  if (answer.status === 200) {
    expectSound(after.inventory);
    return answer.status;
  }
  expect(answer.body.errors.length).toBeGreaterThan(0);
  for (const { reason } of answer.body.errors) expect(reason).toEqual(expect.stringMatching(/\S/));
  expect(after).toEqual(before);
  expect(lab.plane.applied).toBe(applied);
  expect(lab.plane.config).toBe(config);
  return answer.status;
}

const writes = (): readonly Write[] => [
  ['POST', NODEBALANCERS],
  ['PUT', places.nodebalancer],
  ['POST', places.configs],
  ['POST', `${places.configs}?with_nodes=true`],
  ['PUT', places.config],
  ['POST', places.rebuild],
  ['POST', places.nodes],
  // Without one that is left, a write like any other.
  nodeThere() === undefined ? ['POST', places.nodes] : ['PUT', `${places.nodes}/${nodeThere()}`],
];

/** A rebuild may have given the config other nodes, or none. */
function nodeThere(): number | undefined {
  return lab.store.read().inventory.nodebalancers[0]?.configs[0]?.nodes[0]?.id;
}

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(
    '',
    '\0',
    '\u202e',
    '\ud800',
    '10.0.0.1:80',
    'fd00::2:80',
    '::1',
    'none',
    'v2',
    '__proto__',
    '../..',
    '9'.repeat(400),
  ),
);
const number = fc.oneof(fc.integer(), fc.double(), fc.constantFrom(0, -0, 1.5, 255.0001, 2 ** 53, 1e308, -1));
const key = fc.oneof(
  fc.constantFrom(
    ...[
      'region',
      'label',
      'ipv4',
      'tags',
      'configs',
      'client_conn_throttle',
      'port',
      'protocol',
      'check',
      'check_path',
    ],
    ...['check_body', 'check_interval', 'check_timeout', 'nodes', 'id', 'address', 'weight', 'mode', 'proxy_protocol'],
    ...['ssl_cert', 'vpcs', '__proto__', 'constructor', 'hasOwnProperty', 'toString'],
  ),
  text,
);
const { json } = fc.letrec((tie) => ({
  json: fc.oneof(
    { maxDepth: 5 },
    fc.oneof(text, number, fc.boolean(), fc.constant(null)),
    fc.array(tie('json'), { maxLength: 4 }),
    fc.array(fc.tuple(key, tie('json')), { maxLength: 6 }).map((entries) => Object.fromEntries(entries)),
  ),
}));

test('any JSON to any write', async () => {
  await holdsAsync(
    fc.asyncProperty(fc.nat(), json, async (index, body) => {
      const all = writes();
      await send(all[index % all.length] as Write, body);
    }),
    { numRuns: 400 },
  );
}, 120_000);

/** Values that no field but a tag takes, at each place of a body that is good otherwise. */
const good = {
  nodebalancer: { region: 'local', label: 'another', client_conn_throttle: 5, ipv4: '127.0.0.1' },
  config: {
    port: 90,
    protocol: 'tcp',
    algorithm: 'source',
    stickiness: 'table',
    check: 'http_body',
    check_interval: 10,
    check_timeout: 5,
    check_attempts: 3,
    check_path: '/',
    check_body: 'ok',
    check_passive: true,
    proxy_protocol: 'v2',
    proxy_protocol_crc32c: true,
    queue_size: 5,
    queue_timeout: 5,
  },
  node: { label: 'three', address: '10.0.0.3:80', weight: 5, mode: 'backup', max_connections: 5, slow_start: 5 },
};
const bad = fc.oneof(
  fc.constantFrom<unknown>('', '\0', '\u202etext', '#', '!'.repeat(300), -1, 1.5, 1e9, [], {}, [[]], [null], { a: 1 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }).filter((value) => !Number.isInteger(value)),
);
/** What takes any text there is. */
const LENIENT = new Set(['check_body']);

type Kind = keyof typeof good;
const places_ = fc.constantFrom<readonly [Kind, (body: object) => [Write, object], prefix: string]>(
  ['nodebalancer', (body) => [['POST', NODEBALANCERS], body], ''],
  ['config', (body) => [['POST', NODEBALANCERS], { ...good.nodebalancer, configs: [{}, body] }], 'configs[1].'],
  [
    'node',
    (body) => [['POST', NODEBALANCERS], { ...good.nodebalancer, configs: [{ port: 91, nodes: [body] }] }],
    'configs[0].nodes[0].',
  ],
  ['config', (body) => [['POST', places.configs], body], ''],
  ['config', (body) => [['PUT', places.config], body], ''],
  ['config', (body) => [['POST', places.rebuild], { ...body, nodes: [] }], ''],
  ['node', (body) => [['POST', places.rebuild], { nodes: [{ id: 3 }, body] }], 'nodes[1].'],
  ['node', (body) => [['POST', places.nodes], body], ''],
  ['node', (body) => [['PUT', `${places.nodes}/3`], body], ''],
);

test('one bad value anywhere refuses the whole, and is named', async () => {
  await holdsAsync(
    fc.asyncProperty(places_, fc.nat(), bad, async ([kind, request, prefix], index, value) => {
      const keys = Object.keys(good[kind]).filter((name) => !LENIENT.has(name));
      const field = keys[index % keys.length] ?? '';
      const [write, body] = request({ ...good[kind], [field]: value });
      expect(await send(write, body)).toBe(400);
      const { body: answer } = await lab.ask(write[0], write[1], body);
      expect(answer.errors.map((error: { field?: string }) => error.field)).toContain(`${prefix}${field}`);
    }),
    { numRuns: 400 },
  );
}, 120_000);

test('many writes, good and bad: things that stay keep their ids, and no id is given twice', async () => {
  const address = fc.nat({ max: 3 }).map((host) => ({ label: `node-${host}`, address: `10.0.0.${host + 1}:80` }));
  const step = fc.record({
    what: fc.constantFrom('create', 'config', 'node', 'rebuild', 'delete', 'change'),
    which: fc.nat({ max: 5 }),
    port: fc.integer({ min: 80, max: 84 }),
    nodes: fc.array(fc.tuple(address, fc.boolean()), { maxLength: 4 }),
  });
  await holdsAsync(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
      const given = new Set(idsOf(lab.store.read().inventory));
      for (const { what, which, port, nodes } of steps) {
        const { inventory: before } = lab.store.read();
        const target = before.nodebalancers[which % Math.max(1, before.nodebalancers.length)];
        const config = target?.configs[which % Math.max(1, target.configs.length)];
        const at = `${NODEBALANCERS}/${target?.id ?? 0}`;
        lab.clockMs += 60_000;
        const answer =
          what === 'create'
            ? await lab.ask('POST', NODEBALANCERS, {
                region: 'local',
                configs: [{ port, nodes: nodes.map(([node]) => node) }],
              })
            : what === 'config'
              ? await lab.ask('POST', `${at}/configs`, { port })
              : what === 'node'
                ? await lab.ask('POST', `${at}/configs/${config?.id ?? 0}/nodes`, nodes[0]?.[0] ?? {})
                : what === 'rebuild'
                  ? await lab.ask('POST', `${at}/configs/${config?.id ?? 0}/rebuild`, {
                      nodes: nodes.map(([node, isKept], i) => ({
                        ...node,
                        id: isKept ? config?.nodes[i]?.id : undefined,
                      })),
                    })
                  : what === 'delete'
                    ? await lab.ask('DELETE', which % 2 === 0 ? at : `${at}/configs/${config?.id ?? 0}`)
                    : await lab.ask('PUT', `${at}/configs/${config?.id ?? 0}`, { port });
        expect([200, 400, 404]).toContain(answer.status);
        const { inventory: after } = lab.store.read();
        expectSound(after);
        if (answer.status !== 200) expect(after).toEqual(before);
        const old = new Set(idsOf(before));
        for (const id of idsOf(after)) {
          // New, or there just before: never one that was there once.
          expect(old.has(id) || !given.has(id)).toBe(true);
          given.add(id);
        }
        expectKindsKept(before, after);
      }
    }),
    { numRuns: 40 },
  );
}, 120_000);

/** An id names the same kind of thing below the same parent, as long as it is there. */
function expectKindsKept(before: Inventory, after: Inventory): void {
  const parents = ({ nodebalancers }: Inventory) =>
    new Map(
      nodebalancers.flatMap(({ id, configs }): [number, string][] => [
        [id, 'root'],
        ...configs.flatMap((config): [number, string][] => [
          [config.id, `nodebalancer ${id}`],
          ...config.nodes.map((node): [number, string] => [node.id, `config ${config.id}`]),
        ]),
      ]),
    );
  const old = parents(before);
  for (const [id, parent] of parents(after)) if (old.has(id)) expect(parent).toBe(old.get(id));
}
