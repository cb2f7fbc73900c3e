// Which addresses are the balancer's own, and that its ports never lead back to themselves.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type OwnAddresses, type OwnPort, UNKNOWN_MACHINE, Ways } from '../../../core/config/own-ports.ts';
import { ipOf } from '../../../testing/loopback.ts';
import { holds } from '../../../testing/suite/property.ts';

function port(number: number, ...ips: string[]): OwnPort {
  return { name: `port ${number}`, ips: ips.map(ipOf), port: number };
}

/** Where a node of another port leads, with these addresses of the machine. */
function look(own: Partial<OwnAddresses>, listener: OwnPort, ip: string, number = listener.port) {
  const ways = new Ways([port(9), listener], { ...UNKNOWN_MACHINE, ...own });
  return ways.look(0, ipOf(ip), number).kind;
}

describe('an address is a port of ours', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8::1', '2001:db8::1'],
    ['0.0.0.0', '127.0.0.1'],
    ['0.0.0.0', '127.0.1.1'],
    ['0.0.0.0', '127.255.255.254'],
    ['::', '::1'],
    ['0.0.0.0', '198.51.100.7'],
    ['0.0.0.0', '10.1.2.3'],
    ['0.0.0.0', '10.1.2.254'],
    ['::', '2001:db8::7'],
  ])('which listens at %s: %s', (listening, ip) => {
    const local = ['10.1.2.1/24', '198.51.100.7', '2001:DB8:0::7'];
    expect(look({ local }, port(80, listening), ip)).toBe('port');
    expect(look({ local }, port(80, '192.0.2.99', '2001:db8::99', listening), ip)).toBe('port');
  });

  test.each([
    ['another address', '192.0.2.1', '192.0.2.2', 80],
    ['another port', '192.0.2.1', '192.0.2.1', 81],
    ['another loopback address', '127.0.0.1', '127.0.0.2', 80],
    ['an address of another machine', '0.0.0.0', '198.51.100.8', 80],
    ['beside a network of the loopback interface', '0.0.0.0', '10.1.3.1', 80],
    ['the other family', '0.0.0.0', '::1', 80],
    ['the other family', '::', '127.0.0.1', 80],
    ['the other family', '::', '10.1.2.3', 80],
  ])('but not %s: %s, %s', (_why, listening, ip, number) => {
    const local = ['10.1.2.1/24', '198.51.100.7', '2001:db8::7'];
    expect(look({ local }, port(80, listening), ip, number)).toBe('elsewhere');
  });

  test('and none where nothing listens', () => {
    expect(look({}, port(80), '127.0.0.1')).toBe('elsewhere');
  });
});

test.each([
  ['127.0.0.1', '127.0.0.1', 'api'],
  ['127.0.0.1', '127.0.0.2', 'elsewhere'],
  ['192.0.2.5', '192.0.2.5', 'api'],
  ['0.0.0.0', '127.0.1.1', 'api'],
  ['0.0.0.0', '192.0.2.7', 'api'],
  ['0.0.0.0', '192.0.2.8', 'elsewhere'],
  ['0.0.0.0', '::1', 'elsewhere'],
  ['::', '::1', 'api'],
])('of an API at %s, %s is: %s', (ip, node, kind) => {
  const own = { local: ['192.0.2.7'], api: { ip, port: 8080 } };
  expect(look(own, port(80, '0.0.0.0'), node, 8080)).toBe(kind);
});

describe('a circle', () => {
  const ports = [1, 2, 3, 4].map((number) => port(number, '0.0.0.0'));
  const here = ipOf('127.0.0.1');

  test('is a port that leads to itself', () => {
    const ways = new Ways(ports, UNKNOWN_MACHINE);
    const way = ways.take(0, here, 1);
    expect(way).toEqual({ kind: 'circle', over: [0, 0] });
    expect(ways.describe(way)).toBe('a circle: port 1 -> port 1');
  });

  test('is closed by the last of its ways, whichever that is, and is told over the fewest ports', () => {
    const ways = new Ways(ports, UNKNOWN_MACHINE);
    expect(ways.take(0, here, 2)).toEqual({ kind: 'port', to: 1 });
    expect(ways.take(1, here, 3)).toEqual({ kind: 'port', to: 2 });
    expect(ways.take(2, here, 4)).toEqual({ kind: 'port', to: 3 });
    expect(ways.take(1, here, 4)).toEqual({ kind: 'port', to: 3 });
    const way = ways.take(3, here, 1);
    expect(way).toEqual({ kind: 'circle', over: [3, 0, 1, 3] });
    expect(ways.describe(way)).toBe('a circle: port 4 -> port 1 -> port 2 -> port 4');
    // What is not taken blames nobody else.
    expect(ways.take(2, here, 4).kind).toBe('port');
    expect(ways.look(3, here, 2).kind).toBe('circle');
  });

  test('of many ports is told in short', () => {
    const many = Array.from({ length: 9 }, (_, i) => port(i + 1, '0.0.0.0'));
    const ways = new Ways(many, UNKNOWN_MACHINE);
    for (let i = 0; i < 8; i++) ways.take(i, here, i + 2);
    expect(ways.describe(ways.take(8, here, 1))).toBe(
      'a circle: port 9 -> port 1 -> port 2 -> port 3 -> port 4 -> 4 more -> port 9',
    );
  });

  test('is never among the ways that were taken, and each that was refused would have closed one', () => {
    const pairs = fc.array(fc.tuple(fc.nat(7), fc.nat(7)), { maxLength: 40 });
    holds(
      fc.property(pairs, (wanted) => {
        const many = Array.from({ length: 8 }, (_, i) => port(i + 1, '127.0.0.1'));
        const ways = new Ways(many, UNKNOWN_MACHINE);
        const taken: (readonly [number, number])[] = [];
        for (const [from, to] of wanted) {
          const { kind } = ways.take(from, here, to + 1);
          expect(kind).toBe(reaches(taken, to, from) ? 'circle' : 'port');
          if (kind === 'port') taken.push([from, to]);
        }
      }),
    );
  });
});

/** Whether one leads to the other, however long the way: the closure, step by step. */
function reaches(edges: readonly (readonly [number, number])[], from: number, to: number): boolean {
  const seen = new Set([from]);
  for (let size = 0; size !== seen.size; ) {
    size = seen.size;
    for (const [a, b] of edges) if (seen.has(a)) seen.add(b);
  }
  return seen.has(to);
}
