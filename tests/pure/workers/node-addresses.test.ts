// Where nodes are: one address at a time, never one that leads back or to the API, the next one when it fails there; and what is said.

import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { formatIp } from '../../../core/base/ip.ts';
import type { Config } from '../../../core/config/model.ts';
import { type OwnAddresses, UNKNOWN_MACHINE } from '../../../core/config/own-ports.ts';
import { RELAPSE_MS } from '../../../core/health/ejection.ts';
import { ipOf } from '../../../testing/loopback.ts';
import { holds } from '../../../testing/suite/property.ts';
import { EventLog } from '../../../workers/event-log.ts';
import { NodeAddresses } from '../../../workers/node-addresses.ts';
import { configOf } from '../config/support.ts';
import { makeNotebook } from './notebook.ts';

const A = '192.0.2.1';
const B = '192.0.2.2';
const C = '192.0.2.3';

let names: Record<string, string[]>;
let own: OwnAddresses;
let nowMs: number;
let lines: string[];
let nodes: NodeAddresses;
let changes: number;
let stillOut: ReadonlySet<number>;

beforeEach(() => {
  const notebook = makeNotebook();
  names = {};
  own = UNKNOWN_MACHINE;
  nowMs = 1_000_000;
  lines = notebook.lines;
  nodes = new NodeAddresses(new EventLog(notebook), () => nowMs);
  changes = 0;
  nodes.onChange = () => changes++;
});

/** A nodebalancer on all addresses, whose ports have these nodes. */
function serving(ports: Record<number, readonly string[]>, more: object = {}, order = Object.keys(ports)): Config {
  const configs = order.map((port) => ({
    port: Number(port),
    nodes: ports[Number(port)]?.map((address, i) => ({ label: `n-${i}`, address })),
    ...more,
  }));
  return configOf(JSON.stringify({ nodebalancers: [{ label: 'web', configs }] }));
}

/** Places the nodes, whose rows are their places in the configuration. @returns where they are now, in their order */
function place(config: Config, isFile = false): (string | undefined)[] {
  const choices = nodes.choose(config, own, (host) => (names[host] ?? []).map(ipOf));
  stillOut = nodes.commit(choices, new Map([...choices.keys()].map((key, row) => [key, row])), isFile);
  return [...choices.values()].map(({ ip }) => ip && formatIp(ip, 0));
}

describe('a name with several addresses', () => {
  const one = serving({ 80: ['one:8080'] });

  test('gives the first of them, and nothing as long as it has none', () => {
    expect(place(one)).toEqual([undefined]);
    names.one = [B, A];
    expect(place(one)).toEqual([B]);
    expect(lines).toEqual([]);
  });

  test('moves nothing for as long as it has the present one, in whatever order', () => {
    names.one = [A, B];
    place(one);
    names.one = [C, B, A];
    expect(place(one)).toEqual([A]);
    expect(lines).toEqual([]);
  });

  test('moves the node when it no longer has it, which is said once', () => {
    names.one = [A];
    place(one);
    names.one = [B, C];
    expect([place(one), place(one)]).toEqual([[B], [B]]);
    expect(lines).toEqual([
      `info: node n-0 (one:8080) of web port 80 moved from ${A} to ${B}: its host name has another address now`,
    ]);
  });

  test('has them for each of its nodes apart', () => {
    const two = serving({ 80: ['one:1', 'one:2'] });
    names.one = [A, B];
    place(two);
    nodes.failed(1, 'check', 'refused');
    expect(place(two)).toEqual([A, B]);
  });
});

describe('a name that leads to a port of ours', () => {
  const CIRCLE = 'a circle: web port 80 -> web port 80';

  test.each(['127.0.0.1', '127.0.1.1', '192.0.2.77'])(
    'the very port of its node, by %s, is no address for it',
    (ip) => {
      own = { local: ['192.0.2.77'], api: undefined };
      names.one = [ip, '127.0.0.9'];
      const config = serving({ 80: ['one:80'] });
      for (let i = 0; i < 3; i++) expect(place(config)).toEqual([undefined]);
      names.one.reverse();
      expect(place(config)).toEqual([undefined]);
      expect(lines).toEqual([
        `warn: node n-0 (one:80) of web port 80 takes no connections: its host name resolves to ${ip}, ${CIRCLE}`,
      ]);
      names.one = [A];
      expect(place(config)).toEqual([A]);
      expect(lines.slice(1)).toEqual([`info: node n-0 (one:80) of web port 80 is at ${A} now`]);
    },
  );

  test('is passed over where it has another address', () => {
    names.one = ['127.0.0.1', A];
    expect(place(serving({ 80: ['one:80'] }))).toEqual([A]);
    expect(lines).toEqual([]);
  });

  test('leaves the node where it was', () => {
    const config = serving({ 80: ['one:80'] });
    names.one = [A];
    place(config);
    names.one = ['127.0.0.1'];
    for (let i = 0; i < 3; i++) expect(place(config)).toEqual([A]);
    expect(lines).toEqual([
      `warn: node n-0 (one:80) of web port 80 stays at ${A}: its host name resolves to 127.0.0.1, ${CIRCLE}`,
    ]);
  });

  test('is a circle over others, too; who is there stays, in whatever order they are written', () => {
    const first = serving({ 80: ['two:81'], 81: [] });
    names = { one: ['127.0.0.1'], two: ['127.0.0.1'] };
    place(first);
    const config = serving({ 81: ['one:80'], 80: ['two:81'] }, {}, ['81', '80']);
    expect(place(config)).toEqual([undefined, '127.0.0.1']);
    expect(lines.at(-1)).toBe(
      'warn: node n-0 (one:80) of web port 81 takes no connections: its host name resolves to 127.0.0.1, a circle: web port 81 -> web port 80 -> web port 81',
    );
  });

  test('is allowed where that leads nowhere back, with one warning', () => {
    const config = serving({ 80: ['one:81', '127.0.0.1:82'], 81: [`${A}:80`], 82: [] });
    names.one = ['127.0.0.1'];
    for (let i = 0; i < 3; i++) expect(place(config)).toEqual(['127.0.0.1', '127.0.0.1', A]);
    expect(lines).toEqual([
      'warn: node n-0 (one:81) of web port 80 is 127.0.0.1:81, web port 81 of this balancer: each connection to it takes two sessions',
      'warn: node n-1 (127.0.0.1:82) of web port 80 is 127.0.0.1:82, web port 82 of this balancer: each connection to it takes two sessions',
    ]);
  });
});

test('of addresses in a file whoever wrote them was warned as they were read', () => {
  names.one = ['127.0.0.1'];
  const config = serving({ 80: ['one:81', '127.0.0.1:82'], 81: [], 82: [] });
  place(config, true);
  expect(lines).toEqual([expect.stringContaining('node n-0 (one:81) of web port 80 is 127.0.0.1:81')]);
  place(config);
  expect(lines).toHaveLength(1);
});

test('the API is no address for a node, wherever it listens', () => {
  own = { local: [], api: { ip: '0.0.0.0', port: 8080 } };
  names.one = ['127.0.0.1'];
  const config = serving({ 80: ['one:8080', 'one:8081'] });
  expect([place(config), place(config)]).toEqual([
    [undefined, '127.0.0.1'],
    [undefined, '127.0.0.1'],
  ]);
  expect(lines).toEqual([
    "warn: node n-0 (one:8080) of web port 80 takes no connections: its host name resolves to 127.0.0.1, the address of this balancer's API",
  ]);
});

test('an address that the machine gets takes the node away, one that it loses gives it back', () => {
  const config = serving({ 80: [`${A}:80`, 'one:80'] });
  names.one = [B];
  expect(place(config)).toEqual([A, B]);
  own = { local: [A, B], api: undefined };
  for (let i = 0; i < 3; i++) expect(place(config)).toEqual([undefined, undefined]);
  own = UNKNOWN_MACHINE;
  expect(place(config)).toEqual([A, B]);
  const circle = 'a circle: web port 80 -> web port 80';
  expect(lines).toEqual([
    `warn: node n-0 (${A}:80) of web port 80 takes no connections: this machine has its address now: ${A}, ${circle}`,
    `warn: node n-1 (one:80) of web port 80 takes no connections: its host name resolves to ${B}, ${circle}`,
    `info: node n-0 (${A}:80) of web port 80 is at ${A} now`,
    `info: node n-1 (one:80) of web port 80 is at ${B} now`,
  ]);
});

test('whatever names stand for, no port leads back to itself and no node is the API', () => {
  const ports = [80, 81, 82, 83];
  const address = fc.constantFrom('127.0.0.1', '127.0.0.2', A);
  const answers = fc.array(address, { maxLength: 3 });
  const rounds = fc.array(fc.dictionary(fc.constantFrom('n0', 'n1', 'n2', 'n3'), answers), {
    minLength: 1,
    maxLength: 4,
  });
  const wanted = fc.array(
    fc.tuple(fc.constantFrom(...ports), fc.constantFrom('n0', 'n1', 'n2', 'n3'), fc.constantFrom(...ports, 8080)),
    {
      maxLength: 12,
    },
  );
  own = { local: [], api: { ip: '0.0.0.0', port: 8080 } };
  holds(
    fc.property(wanted, rounds, (ways, changed) => {
      const byPort = Object.fromEntries(
        ports.map((port) => [
          port,
          [...new Set(ways.filter(([from]) => from === port).map(([, name, to]) => `${name}:${to}`))],
        ]),
      );
      const config = serving(byPort);
      for (const next of changed) {
        names = next;
        const ips = place(config);
        const edges = ports
          .flatMap((from) => (byPort[from] ?? []).map((text) => ({ from, to: Number(text.split(':')[1]) })))
          .filter((_, index) => ips[index]?.startsWith('127.'));
        expect(edges.filter(({ to }) => to === 8080)).toEqual([]);
        expect(circular(edges)).toEqual([]);
      }
    }),
  );
});

/** What is left when ports that lead nowhere are taken away until there is none: circles, and what leads to them. */
function circular(edges: readonly { from: number; to: number }[]): readonly { from: number; to: number }[] {
  const left = edges.filter(({ to }) => edges.some(({ from }) => from === to));
  return left.length === edges.length ? left : circular(left);
}

describe('a node that fails', () => {
  const config = serving({ 80: ['one:80'] }, { check: 'connection' });
  const MOVED = 'warn: node n-0 (one:80) of web port 80 moved from';

  beforeEach(() => {
    names.one = [A, B];
    place(config);
  });

  test.each(['check', 'session'] as const)('for a %s is at the next address of its name, which is said once', (by) => {
    expect(nodes.failed(0, by, 'connection refused')).toBe(true);
    expect(changes).toBe(1);
    expect([place(config), place(config)]).toEqual([[B], [B]]);
    expect(stillOut).toEqual(new Set());
    expect(lines).toEqual([`${MOVED} ${A} to ${B}: connection refused`]);
  });

  test.each(['check', 'session'] as const)('for a %s at all of them stays where it is', (by) => {
    names.one = [A, B, C];
    place(config);
    expect([nodes.failed(0, by, 'x'), place(config)]).toEqual([true, [B]]);
    expect([nodes.failed(0, by, 'y'), place(config)]).toEqual([true, [C]]);
    expect([nodes.failed(0, by, 'z'), place(config)]).toEqual([false, [C]]);
    expect(changes).toBe(2);
    // No look-up moves it, but to an address that is new.
    names.one = [B, C, A];
    expect(place(config)).toEqual([C]);
    names.one = [B, C, A, '192.0.2.4'];
    expect(place(config)).toEqual(['192.0.2.4']);
  });

  test('has failed at its only address', () => {
    const literal = serving({ 80: [`${A}:80`, 'one:80'] });
    names.one = [B];
    place(literal);
    expect([nodes.failed(0, 'check', 'x'), nodes.failed(1, 'session', 'x'), nodes.failed(7, 'check', 'x')]).toEqual([
      false,
      false,
      false,
    ]);
    expect([nodes.tryElsewhere(0, 'x'), nodes.tryElsewhere(1, 'x'), changes]).toEqual([undefined, undefined, 0]);
  });

  test('is not sent to an address that leads back', () => {
    names.one = [A, '127.0.0.1', B];
    place(config);
    nodes.failed(0, 'check', 'x');
    expect(place(config)).toEqual([B]);
    expect(nodes.usableOf(0)).toEqual([A, B].map(ipOf));
  });

  test('may go back where it failed once it has worked elsewhere', () => {
    nodes.failed(0, 'check', 'x');
    place(config);
    nodes.succeeded(0, 'check');
    expect([nodes.failed(0, 'check', 'x'), place(config)]).toEqual([true, [A]]);
  });

  test('for sessions may go back after a while: nobody tells that they would succeed again', () => {
    nodes.failed(0, 'session', 'x');
    place(config);
    nowMs += RELAPSE_MS - 1;
    expect(nodes.failed(0, 'session', 'x')).toBe(false);
    nowMs += 1;
    expect([nodes.failed(0, 'session', 'x'), place(config)]).toEqual([true, [A]]);
  });

  test('everywhere is tried in turn while it stays out, without a word, until it succeeds', () => {
    nodes.failed(0, 'session', 'x');
    place(config);
    expect(nodes.failed(0, 'session', 'y')).toBe(false);
    expect([nodes.tryElsewhere(0, 'y'), place(config)]).toEqual([A, [A]]);
    expect(stillOut).toEqual(new Set([0]));
    // A minute later, and no sooner, comes the next trial: what failed before has not become better by that.
    nowMs += 2 * RELAPSE_MS;
    expect(place(config)).toEqual([A]);
    expect(stillOut).toEqual(new Set());
    expect(nodes.failed(0, 'session', 'z', true)).toBe(false);
    expect([nodes.tryElsewhere(0, 'z'), place(config)]).toEqual([B, [B]]);
    expect(lines).toEqual([`${MOVED} ${A} to ${B}: x`]);
    nodes.succeeded(0, 'session');
    expect([nodes.failed(0, 'session', 'x'), place(config)]).toEqual([true, [A]]);
  });

  test('everywhere is where a check was answered', () => {
    nodes.failed(0, 'check', 'x');
    place(config);
    expect(nodes.failed(0, 'check', 'y')).toBe(false);
    nodes.answeredAt(0, ipOf(B));
    expect(changes).toBe(1);
    nodes.answeredAt(0, ipOf(A));
    expect([changes, place(config)]).toEqual([2, [A]]);
    expect(lines.at(-1)).toBe(`${MOVED} ${B} to ${A}: a check was answered there`);
  });

  test('at an address that its name gives up is not known to have failed when the name has it again', () => {
    nodes.failed(0, 'check', 'x');
    place(config);
    names.one = [B];
    place(config);
    names.one = [A, B];
    expect([place(config), nodes.failed(0, 'check', 'x'), place(config)]).toEqual([[B], true, [A]]);
  });

  test('for a check that is not done any more has not', () => {
    nodes.failed(0, 'check', 'x');
    place(config);
    const unchecked = serving({ 80: ['one:80'] });
    place(unchecked);
    expect(nodes.failed(0, 'session', 'x')).toBe(true);
  });

  test('and is removed, and comes back, begins anew', () => {
    nodes.failed(0, 'check', 'x');
    place(config);
    place(serving({ 80: [] }));
    expect(place(config)).toEqual([A]);
  });
});
