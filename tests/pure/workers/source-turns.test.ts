// From which local address checks connect: those of sessions, in turn, each node with turns of its own, and never one of the other
// family.

import { expect, test } from 'vitest';
import { formatIp, parseIp } from '../../../core/base/ip.ts';
import { SourceTurns } from '../../../workers/checks/source-turns.ts';

function ipOf(text: string): Uint8Array {
  const ip = parseIp(text);
  if (ip === undefined) throw new Error(`no address: ${text}`);
  return ip;
}

const NODE = ipOf('192.0.2.10');
const NODE_V6 = ipOf('2001:db8::10');

function turnsOf(...addresses: string[]) {
  const turns = new SourceTurns(addresses.map(ipOf));
  return (row: number, ip = NODE) => {
    const source = turns.next(row, ip);
    return source === undefined ? undefined : formatIp(source, 0);
  };
}

test('in turn', () => {
  const next = turnsOf('127.0.0.2', '127.0.0.3');
  expect([next(0), next(0), next(0)]).toEqual(['127.0.0.2', '127.0.0.3', '127.0.0.2']);
});

test('nodes that are checked alternately all see every address', () => {
  const next = turnsOf('127.0.0.2', '127.0.0.3');
  const seen = Array.from({ length: 4 }, (_, i) => [i % 2, next(i % 2)]);
  expect(seen).toEqual([
    [0, '127.0.0.2'],
    [1, '127.0.0.2'],
    [0, '127.0.0.3'],
    [1, '127.0.0.3'],
  ]);
});

test("only of the node's family", () => {
  const next = turnsOf('127.0.0.2', '::1');
  expect([next(0), next(0), next(1, NODE_V6), next(1, NODE_V6)]).toEqual(['127.0.0.2', '127.0.0.2', '::1', '::1']);
});

test('none of the family, or none at all: the system chooses', () => {
  expect(turnsOf('127.0.0.2')(0, NODE_V6)).toBeUndefined();
  expect(turnsOf()(0)).toBeUndefined();
});
