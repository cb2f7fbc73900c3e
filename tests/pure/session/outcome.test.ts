// Outcome codes: the first one of a session stays, each has its letter, and each can be told to people.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { describeOutcome, IN, noteOutcome, outcomeCode, outcomeCodes, WHO } from '../../../core/session/outcome.ts';
import { createSessionTable, sessionTableBytes } from '../../../core/session/table.ts';

const WHO_LETTERS = Object.values(WHO);
const IN_LETTERS = Object.values(IN);

function makeTable() {
  return createSessionTable(new SharedArrayBuffer(sessionTableBytes(2)), 2);
}

test('the first outcome wins', () => {
  const table = makeTable();
  noteOutcome(table, 1, WHO.node, IN.connect);
  noteOutcome(table, 1, WHO.client, IN.data);
  expect(outcomeCode(table.outcomeWho[1] ?? 0, table.outcomePhase[1] ?? 0)).toBe('SC');
  expect([table.outcomeWho[0], table.outcomePhase[0]]).toEqual([0, 0]);
});

test('a session without an outcome ended orderly', () => {
  const table = makeTable();
  expect(outcomeCode(table.outcomeWho[0] ?? -1, table.outcomePhase[0] ?? -1)).toBe('--');
  expect(describeOutcome('--')).toBe('both sides finished');
});

describe('letters', () => {
  test('are one character each, and no two mean the same', () => {
    expect([...WHO_LETTERS, ...IN_LETTERS].every((letter) => /^[-A-Za-z]$/.test(letter))).toBe(true);
    expect(new Set(WHO_LETTERS).size).toBe(WHO_LETTERS.length);
    expect(new Set(IN_LETTERS).size).toBe(IN_LETTERS.length);
  });

  test('the table for people has exactly them', () => {
    const { who, phases } = outcomeCodes();
    expect([...who].sort()).toEqual([...WHO_LETTERS].sort());
    expect([...phases].sort()).toEqual([...IN_LETTERS].sort());
  });

  test('a session carries each of them through the table', () => {
    for (const who of WHO_LETTERS) {
      for (const phase of IN_LETTERS) {
        const table = makeTable();
        noteOutcome(table, 0, who, phase);
        expect(outcomeCode(table.outcomeWho[0] ?? 0, table.outcomePhase[0] ?? 0)).toBe(`${who}${phase}`);
      }
    }
  });
});

describe('for people', () => {
  test('every code has words of its own', () => {
    const texts = WHO_LETTERS.flatMap((who) => IN_LETTERS.map((phase) => describeOutcome(`${who}${phase}`)));
    expect(new Set(texts).size).toBe(texts.length);
    for (const text of texts) expect(text).toMatch(/^[a-zPROXY ,()]{10,}$/);
  });

  test.for([
    ['SC', 'the node aborted or could not be used, while a node was being connected'],
    ['cD', 'the client did nothing for too long, while data was being relayed'],
    ['K-', 'the operator ended it'],
  ] as const)('%s', ([code, text]) => {
    expect(describeOutcome(code)).toBe(text);
  });

  test.for(['', 'X', 'XD', 'S', 'Sx', 'constructor'])('%j is unknown, and said to be', (code) => {
    expect(describeOutcome(code)).toBe(`unknown outcome ${code}`);
  });
});

test('every outcome that the data path notes is one of the table', () => {
  const source = ['accept', 'close', 'connect', 'header', 'lifecycle', 'readiness', 'relay', 'session']
    .map((name) => readFileSync(new URL(`../../../core/session/${name}.ts`, import.meta.url), 'utf8'))
    .join('\n');
  const used = new Set([...source.matchAll(/\bWHO\.(\w+)/g)].map(([, name]) => name));
  const neverUsed = Object.keys(WHO).filter((name) => name !== 'normal' && !used.has(name));
  expect(neverUsed).toEqual([]);
});
