// The configuration as a whole: its history and the way back, as a file, and a file as the configuration.

import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RefusedChange } from '../../../../../control/data-plane.ts';
import { parseConfig } from '../../../../../core/config/parse.ts';
import { validateConfig } from '../../../../../core/config/validate.ts';
import { holdsAsync } from '../../../../../testing/suite/property.ts';
import { type Lab, NODE, startLab } from '../support.ts';

const HISTORY = '/balancer/v1/history';
const ROLLBACK = '/balancer/v1/rollback';
const CONFIGURATION = '/balancer/v1/configuration';

let lab: Lab;
beforeEach(() => {
  lab = startLab();
});
afterEach(async () => {
  expect(lab.faults).toEqual([]);
  await lab.close();
});

function web(port: number, more: object = {}) {
  return { nodebalancers: [{ label: 'web', configs: [{ port, nodes: [NODE], ...more }] }] };
}

async function make(...labels: string[]): Promise<void> {
  for (const label of labels) {
    expect((await lab.ask('POST', '/v4/nodebalancers', { region: 'local', label })).status).toBe(200);
  }
}

describe('history', () => {
  test('is newest first, with author and differences, a page at a time', async () => {
    await make('one', 'two', 'three');
    const { body } = await lab.ask('GET', `${HISTORY}?limit=2`);
    expect(body.data).toEqual([
      { revision: 3, time: '2026-01-02T03:04:05', author: 'tester', changes: ['three: added, 0 configs'] },
      { revision: 2, time: '2026-01-02T03:04:05', author: 'tester', changes: ['two: added, 0 configs'] },
    ]);
    const next = await lab.ask('GET', `${HISTORY}?limit=2&before=2`);
    expect(next.body.data.map(({ revision }: { revision: number }) => revision)).toEqual([1]);
  });

  test.each(['limit=0', 'limit=501', 'before=0', 'before=x', 'limit=1&limit=2'])('refuses %s', async (query) => {
    expect((await lab.ask('GET', `${HISTORY}?${query}`)).status).toBe(400);
  });

  test('has each revision with its configuration', async () => {
    await make('one', 'two');
    const { body } = await lab.ask('GET', `${HISTORY}/1`);
    expect(body).toMatchObject({ revision: 1, configuration: { nodebalancers: [{ label: 'one' }] } });
    expect((await lab.ask('GET', `${HISTORY}/3`)).status).toBe(404);
    expect((await lab.ask('GET', `${HISTORY}/x`)).status).toBe(404);
  });
});

describe('a rollback', () => {
  test('is a new revision with the old content, and says what it changed', async () => {
    await make('one', 'two');
    const { body } = await lab.ask('POST', ROLLBACK, { revision: 1 });
    expect(body).toEqual({ revision: 3, changes: ['two: removed'] });
    expect(lab.plane.config.nodebalancers.map(({ label }) => label)).toEqual(['one']);
  });

  test('to what is there changes nothing', async () => {
    await make('one');
    expect((await lab.ask('POST', ROLLBACK, { revision: 1 })).body).toEqual({ revision: 1, changes: [] });
    expect(lab.store.read().revision).toBe(1);
  });

  test.each([
    [undefined],
    [{}],
    [[]],
    [{ revision: '1' }],
    [{ revision: 1.5 }],
    [{ revision: -1 }],
    [{ revision: null }],
  ])('needs a number, not %j', async (body) => {
    await make('one');
    const answer = await lab.ask('POST', ROLLBACK, body);
    expect([answer.status, answer.body.errors[0].field]).toEqual([400, 'revision']);
  });

  test('to a revision that is not there is refused', async () => {
    expect((await lab.ask('POST', ROLLBACK, { revision: 7 })).status).toBe(404);
  });
});

describe('a whole configuration', () => {
  test('replaces what was there, and is told by its differences', async () => {
    await make('old');
    const { status, body } = await lab.ask('PUT', CONFIGURATION, web(80));
    expect([status, body]).toEqual([200, { revision: 2, changes: ['old: removed', 'web: added, 1 config'] }]);
    expect((await lab.ask('PUT', CONFIGURATION, web(80))).body).toEqual({ revision: 2, changes: [] });
  });

  test('only on top of the revision that was looked at, be it none', async () => {
    expect((await lab.ask('PUT', `${CONFIGURATION}?base=0`, web(80))).status).toBe(200);
    expect((await lab.ask('PUT', `${CONFIGURATION}?base=0`, web(81))).status).toBe(409);
    expect((await lab.ask('PUT', `${CONFIGURATION}?base=1`, web(81))).status).toBe(200);
    expect((await lab.ask('PUT', `${CONFIGURATION}?base=-1`, web(81))).status).toBe(400);
  });

  test('keeps the ids of what stays', async () => {
    await lab.ask('PUT', CONFIGURATION, web(80));
    const [before] = lab.store.read().inventory.nodebalancers;
    await lab.ask('PUT', CONFIGURATION, web(80, { algorithm: 'leastconn' }));
    const [after] = lab.store.read().inventory.nodebalancers;
    expect([after?.id, after?.configs[0]?.id, after?.configs[0]?.nodes[0]?.id]).toEqual([
      before?.id,
      before?.configs[0]?.id,
      before?.configs[0]?.nodes[0]?.id,
    ]);
    expect(after?.configs[0]?.algorithm).toBe('leastconn');
  });

  test('only tried changes nothing', async () => {
    await make('old');
    const { body } = await lab.ask('PUT', `${CONFIGURATION}?dry_run=true`, web(80));
    expect(body).toEqual({ revision: 1, changes: ['old: removed', 'web: added, 1 config'] });
    expect([lab.store.read().revision, lab.plane.applied]).toEqual([1, 1]);
  });

  test.each(['dry_run=1', 'dry_run=True', 'dry_run=', 'dry_run=true&dry_run=true'])(
    'with %s is refused, not applied',
    async (query) => {
      expect((await lab.ask('PUT', `${CONFIGURATION}?${query}`, web(80))).status).toBe(400);
      expect(lab.plane.applied).toBe(0);
    },
  );

  test('with mistakes is refused with all of them, by place', async () => {
    const { status, body } = await lab.ask(
      'PUT',
      CONFIGURATION,
      web(0, { algorithm: 'magic', nodes: [{ label: 'n' }] }),
    );
    expect(status).toBe(400);
    expect(body.errors.map(({ field }: { field: string }) => field)).toEqual([
      'nodebalancers[0].configs[0].port',
      'nodebalancers[0].configs[0].algorithm',
      'nodebalancers[0].configs[0].nodes[0].label',
      'nodebalancers[0].configs[0].nodes[0].address',
    ]);
    expect(lab.plane.applied).toBe(0);
  });

  test.each([[undefined], [[]], [7], ['"text"']])('must be one, not %j', async (body) => {
    const answer = await lab.ask('PUT', CONFIGURATION, body);
    expect(answer.status).toBe(400);
    expect(answer.body.errors).not.toEqual([]);
  });

  test('whose port cannot be bound is refused at the port', async () => {
    lab.plane.refusal = new RefusedChange('192.0.2.1:80: the port is in use', { ip: '192.0.2.1', port: 80 });
    const { status, body } = await lab.ask('PUT', CONFIGURATION, web(80));
    expect([status, body.errors]).toEqual([400, [{ field: 'port', reason: '192.0.2.1:80: the port is in use' }]]);
    expect(lab.store.read().revision).toBe(0);
  });

  test('of more than a mebibyte is taken: that is what the largest ones have', async () => {
    const configs = Array.from({ length: 100 }, (_, c) => ({
      port: 1000 + c,
      check_body: 'x'.repeat(255),
      nodes: Array.from({ length: 40 }, (_unused, n) => ({
        label: `a-node-with-a-very-long-name-${n}`,
        address: `10.${c}.0.${n}:80`,
        weight: 50,
        mode: 'accept',
        max_connections: 100_000,
        slow_start: 3600,
        proxy_protocol: null,
      })),
    }));
    const body = JSON.stringify({ nodebalancers: [{ label: 'web', configs }] }, null, 2);
    expect(body.length).toBeGreaterThan(1 << 20);
    expect((await lab.ask('PUT', CONFIGURATION, body)).status).toBe(200);
  });

  test('cannot be written by who may only look, or where a file is the truth', async () => {
    const { token } = lab.context.tokens.create('looker', 'read_only');
    const headers = { authorization: `Bearer ${token}` };
    expect((await lab.ask('PUT', CONFIGURATION, web(80), headers)).status).toBe(403);
    lab.plane.file = '/etc/balancer.yaml';
    for (const answer of [
      await lab.ask('PUT', CONFIGURATION, web(80)),
      await lab.ask('POST', ROLLBACK, { revision: 0 }),
    ]) {
      expect(answer.status).toBe(403);
      expect(answer.body.errors[0].reason).toContain('/etc/balancer.yaml');
    }
    expect(lab.plane.applied).toBe(0);
  });
});

describe('an export', () => {
  const LABEL = fc.stringMatching(/^[a-zA-Z0-9_-]{3,32}$/);
  const CONFIG = fc.record({
    port: fc.constant(80),
    check: fc.constant('http_body'),
    check_path: fc.stringMatching(/^[a-zA-Z0-9/%?&=.-]{1,40}$/),
    // What YAML could take for something else: quotes, colons, hashes, numbers, words, spaces at the ends.
    check_body: fc.oneof(
      fc.constantFrom(
        'yes',
        'null',
        '~',
        '1e3',
        '0x10',
        ' a ',
        "it's",
        '"',
        '# no',
        'a: b',
        '- x',
        '*a',
        '&a',
        '!t',
        '%',
        '\\d+',
      ),
      fc.stringMatching(/^[ -Z^-z]{1,60}$/),
    ),
  });

  test('is a file that "run -f" and "apply" take back, as YAML and as JSON', async () => {
    await holdsAsync(
      fc.asyncProperty(fc.uniqueArray(LABEL, { minLength: 1, maxLength: 3 }), CONFIG, async (labels, config) => {
        const given = {
          nodebalancers: labels.map((label, i) => ({
            label,
            ipv4: `192.0.2.${i + 1}`,
            configs: [{ ...config, nodes: [NODE] }],
          })),
        };
        fc.pre('config' in validateConfig(given));
        expect((await lab.ask('PUT', CONFIGURATION, given)).status).toBe(200);
        const json = await lab.ask('GET', CONFIGURATION);
        const yaml = await lab.ask('GET', `${CONFIGURATION}?format=yaml`);
        const parsed = parseConfig(yaml.body, 'balancer.yaml');
        expect(parsed).toMatchObject({ config: lab.plane.config });
        expect(parseConfig(JSON.stringify(json.body), 'balancer.json')).toMatchObject({ config: lab.plane.config });
        expect((await lab.ask('PUT', `${CONFIGURATION}?dry_run=true`, json.body)).body.changes).toEqual([]);
      }),
      { numRuns: 20 },
    );
  });

  test('as YAML is a file to download', async () => {
    await lab.ask('PUT', CONFIGURATION, web(80));
    const { body, headers } = await lab.ask('GET', `${CONFIGURATION}?format=yaml`);
    expect(headers).toMatchObject({
      'content-type': expect.stringContaining('application/yaml'),
      'content-disposition': 'attachment; filename="balancer.yaml"',
    });
    expect(body).toMatch(/^nodebalancers:\n {2}- label: web\n/);
    expect((await lab.ask('GET', `${CONFIGURATION}?format=xml`)).status).toBe(400);
  });
});
