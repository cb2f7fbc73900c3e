// Keys that are not ours: what a cloud has and we have not, what is kept without a use, and what nobody knows.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Answer, type Lab, NODE, startLab } from '../support.ts';
import { done, makeNodeBalancer, NODEBALANCERS, type Places, refused } from './support.ts';

let lab: Lab;
let places: Places;
let count = 0;
beforeEach(async () => {
  lab = startLab({ addresses: Array.from({ length: 100 }, (_, i) => `192.0.2.${i + 1}`) });
  places = await makeNodeBalancer(lab, { nodes: [NODE] });
});
afterEach(async () => {
  expect(lab.faults).toEqual([]);
  await lab.close();
});

type Fields = Record<string, unknown>;

interface Write {
  readonly name: string;
  readonly send: (fields: Fields) => Promise<Answer>;
  /** of the fields, in the request */
  readonly at: string;
}

function write(name: string, at: string, send: Write['send']): Write {
  return { name, at, send };
}

/** A port and a node that nothing has yet. */
const port = () => 1000 + count++;
const node = () => ({ label: `node-${count}`, address: `10.0.1.1:${1000 + count++}` });

/** Every write that takes a thing of a kind, with these fields beside good ones. */
const WRITES = {
  nodebalancer: [
    write('POST', '', (fields) => lab.ask('POST', NODEBALANCERS, { region: 'local', ...fields })),
    write('PUT', '', (fields) => lab.ask('PUT', places.nodebalancer, fields)),
  ],
  config: [
    write('POST of its NodeBalancer', 'configs[0].', (fields) =>
      lab.ask('POST', NODEBALANCERS, { region: 'local', configs: [fields] }),
    ),
    write('POST', '', (fields) => lab.ask('POST', places.configs, { port: port(), ...fields })),
    write('PUT', '', (fields) => lab.ask('PUT', places.config, fields)),
    write('rebuild', '', (fields) => lab.ask('POST', places.rebuild, { nodes: [{ id: 3 }], ...fields })),
  ],
  node: [
    write('POST of its NodeBalancer', 'configs[0].nodes[1].', (fields) =>
      lab.ask('POST', NODEBALANCERS, { region: 'local', configs: [{ nodes: [NODE, { ...node(), ...fields }] }] }),
    ),
    write('POST of its config', 'nodes[0].', (fields) =>
      lab.ask('POST', `${places.configs}?with_nodes=true`, { port: port(), nodes: [{ ...node(), ...fields }] }),
    ),
    write('rebuild', 'nodes[0].', (fields) => lab.ask('POST', places.rebuild, { nodes: [{ id: 3, ...fields }] })),
    write('POST', '', (fields) => lab.ask('POST', places.nodes, { ...node(), ...fields })),
    write('PUT', '', (fields) => lab.ask('PUT', `${places.nodes}/3`, fields)),
  ],
};
const EACH = Object.values(WRITES).flat();

describe('what a cloud has and we have not', () => {
  const FIREWALLS = 'there are no firewalls here';
  const VPCS = 'there are no VPCs here';
  const keys: readonly (readonly [keyof typeof WRITES, key: string, reason: string, asking: readonly unknown[]])[] = [
    ['nodebalancer', 'firewall_id', FIREWALLS, [7, '7', -2]],
    ['nodebalancer', 'firewall', FIREWALLS, [7, { id: 7 }, true]],
    ['nodebalancer', 'vpcs', VPCS, [[{ subnet_id: 1 }], [{}], 'vpc']],
    ['nodebalancer', 'backend_vpcs', VPCS, [[{ subnet_id: 1, ipv4_range: '10.0.0.0/30' }]]],
    ['nodebalancer', 'frontend_vpcs', VPCS, [[{ subnet_id: 1 }]]],
    ['nodebalancer', 'frontend_vpc_subnet_id', VPCS, [1]],
    ['nodebalancer', 'frontend_address_type', VPCS, ['vpc']],
    ['nodebalancer', 'type', 'there is only the type common', ['premium', 'premium_40gb']],
    ['nodebalancer', 'client_udp_sess_throttle', 'protocol udp is not served yet', [5]],
    ['config', 'ssl_cert', 'protocol https is not served yet', ['PEM']],
    ['config', 'ssl_key', 'protocol https is not served yet', ['PEM']],
    ['node', 'subnet_id', VPCS, [5]],
    ['node', 'vpc_config_id', VPCS, [5]],
  ];

  test.each(keys)('%s %s: null and empty pass, a value gets "%s"', async (kind, key, reason, asking) => {
    for (const { send, at } of WRITES[kind]) {
      for (const value of [null, '', 0, [], {}]) {
        const answer = await send({ [key]: value });
        expect(answer.status, `${JSON.stringify(value)}: ${JSON.stringify(answer.body)}`).toBe(200);
        expect(answer.headers).not.toHaveProperty('warnings');
      }
      for (const value of asking) expect(await refused(send({ [key]: value }))).toEqual([{ field: at + key, reason }]);
    }
  });

  test('and what asks for what there is anyway passes', async () => {
    const harmless = { type: 'common', frontend_address_type: 'public', firewall_id: -1 };
    for (const { send } of WRITES.nodebalancer) await done(send(harmless));
  });
});

describe('what tcp has no use for', () => {
  test.each([{ cipher_suite: 'legacy', udp_check_port: 1234 }, { cipher_suite: 'none' }, { udp_check_port: 65535 }])(
    'is kept as it was sent: %j',
    async (fields) => {
      const rest = { cipher_suite: 'recommended', udp_check_port: 80, ...fields };
      const { id } = await done(lab.ask('POST', NODEBALANCERS, { region: 'local', configs: [fields] }));
      expect((await done(lab.ask('GET', `${NODEBALANCERS}/${id}/configs`))).data).toMatchObject([rest]);
      for (const { send } of WRITES.config.slice(1)) expect(await done(send(fields))).toMatchObject(rest);
      // What is not said stays, and so does what is said of nothing.
      for (const { send } of WRITES.config.slice(2))
        expect(await done(send({ algorithm: 'source' }))).toMatchObject(rest);
      expect(await done(lab.ask('PUT', places.config, { cipher_suite: '', udp_check_port: null }))).toMatchObject(rest);
      expect(await done(lab.ask('GET', places.config))).toMatchObject(rest);
    },
  );

  test('is in the history, and not in the configuration', async () => {
    await done(lab.ask('PUT', places.config, { cipher_suite: 'legacy', udp_check_port: 1234 }));
    expect(lab.store.read().changes).toEqual([
      'balancer1 port 80: cipher_suite recommended -> legacy',
      'balancer1 port 80: udp_check_port 80 -> 1234',
    ]);
    const path = '/balancer/v1/configuration';
    const file = await done(lab.ask('GET', path));
    expect(JSON.stringify(file)).not.toMatch(/cipher_suite|udp_check_port/);
    expect(lab.plane.config).toEqual(file);
    // A file that says nothing of it takes nothing away.
    expect((await done(lab.ask('PUT', path, file))).changes).toEqual([]);
    expect(await done(lab.ask('GET', places.config))).toMatchObject({ cipher_suite: 'legacy', udp_check_port: 1234 });
  });

  test.each([{ cipher_suite: 'fast' }, { cipher_suite: 5 }, { udp_check_port: 65536 }, { udp_check_port: '80' }])(
    'but no other value: %j',
    async (fields) => {
      const errors = await refused(lab.ask('PUT', places.config, fields));
      expect(errors.map(({ field }) => field)).toEqual(Object.keys(fields));
    },
  );
});

describe('a key that nobody knows', () => {
  test.each(EACH.map((one) => [one.at, one.name, one] as const))(
    'is ignored and named in a header: %s in %s',
    async (at, _name, { send }) => {
      const { status, headers } = await send({ colour: 'red' });
      expect([status, headers.warnings]).toEqual([200, `ignored as unknown: ${at}colour`]);
    },
  );

  test.each(['/v4', '/v4beta'])('below %s', async (version) => {
    const path = `${version}/nodebalancers`;
    const { status, headers } = await lab.ask('POST', path, { region: 'local', lable: 'web', configs: [{ prot: 81 }] });
    expect(status).toBe(200);
    const names = 'lable (did you mean label?), configs[0].prot (did you mean port?)';
    expect(headers.warnings).toBe(`ignored as unknown: ${names}`);
  });

  test('is named beside the errors, too', async () => {
    const { status, headers, body } = await lab.ask('POST', NODEBALANCERS, { regoin: 'local', port: 80 });
    expect([status, body.errors]).toEqual([400, [{ field: 'region', reason: 'region is required' }]]);
    expect(headers.warnings).toBe('ignored as unknown: regoin (did you mean region?), port');
  });

  test('changes nothing alone, and there is no header without one', async () => {
    const { revision } = lab.store.read();
    for (const path of [places.nodebalancer, places.config, `${places.nodes}/3`]) {
      expect((await lab.ask('PUT', path, { colour: 'red' })).headers.warnings).toBe('ignored as unknown: colour');
      expect((await lab.ask('PUT', path, {})).headers).not.toHaveProperty('warnings');
    }
    expect(lab.store.read().revision).toBe(revision);
  });

  test('of any text becomes a header that is one', async () => {
    const names = ['\r\nx-injected: 1', '漢字', '\u202e', 'a'.repeat(5000), '__proto__', 'constructor', ''];
    const body = `{${names.map((name) => `${JSON.stringify(name)}: 1`).join()}}`;
    const { status, headers } = await lab.ask('PUT', places.config, body);
    expect(status).toBe(200);
    expect(headers).not.toHaveProperty('x-injected');
    expect(headers.warnings).toMatch(/^[ -~]+$/);
    expect(headers.warnings).toContain('["\\u{6f22}\\u{5b57}"]');
    expect(headers.warnings).toContain('__proto__');
  });

  test('of a crowd: the first are named, the rest is counted', async () => {
    const many = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`key-${i}`, i]));
    const { headers } = await lab.ask('PUT', places.config, many);
    expect(headers.warnings).toMatch(/^ignored as unknown: \["key-0"\], .*, \["key-19"\], and 4980 more$/);
    const long = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`${'漢'.repeat(60)}${i}`, i]));
    const warnings = String((await lab.ask('PUT', places.config, long)).headers.warnings);
    expect(warnings.length).toBeLessThan(2100);
    expect(warnings).toMatch(/, and \d+ more$/);
  });

  test('is an error on our own surfaces: in a file, and from the page', async () => {
    const file = { nodebalancers: [{ label: 'web', colour: 'red' }] };
    const errors = await refused(lab.ask('PUT', '/balancer/v1/configuration', file));
    expect(errors.map(({ field }) => field)).toEqual(['nodebalancers[0].colour']);
    const login = lab.context.logins.create(lab.context.tokens.create('page', 'read_write').info);
    const headers = {
      cookie: `${lab.context.logins.cookieName}=${login.value}`,
      'x-csrf-token': login.csrf,
      'content-type': 'application/json',
    };
    const asPage = (body: Fields) => lab.app.inject({ method: 'PUT', url: places.config, headers, payload: body });
    expect((await asPage({ port: 81 })).statusCode).toBe(200);
    const answer = await asPage({ port: 82, chek: 'none' });
    expect(answer.statusCode).toBe(400);
    expect(answer.json().errors).toEqual([{ field: 'chek', reason: expect.stringContaining('did you mean "check"?') }]);
  });
});
