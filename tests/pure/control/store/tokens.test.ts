// Tokens: shown once, kept as hashes, gone when revoked.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { openStore, type SqliteStore } from '../../../../control/store/sqlite-store.ts';
import { Tokens } from '../../../../control/store/tokens.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../../../../testing/temporary.ts';

let directory: string;
let store: SqliteStore;
let nowMs: number;
beforeEach(() => {
  directory = makeTemporaryDirectory('tokens');
  store = openStore(directory);
  nowMs = Date.UTC(2026, 0, 2, 3, 4, 5);
});
afterEach(() => {
  store.close();
  removeTemporaryDirectory(directory);
});

const open = () => new Tokens(store.database, () => nowMs);

test('a token is good until it is revoked, also for who opens the store later', () => {
  const tokens = open();
  const { token, info } = tokens.create('deploy', 'read_only');
  expect(info).toEqual({ id: 1, label: 'deploy', scope: 'read_only', created: '2026-01-02T03:04:05', used: null });
  expect(open().verify(token)).toMatchObject({ id: 1, scope: 'read_only' });
  expect(tokens.verify(`${token}x`)).toBeUndefined();
  expect(tokens.verify(token.slice(0, -1))).toBeUndefined();
  expect(tokens.verify('')).toBeUndefined();
  expect(tokens.verify('x'.repeat(100_000))).toBeUndefined();
  expect(tokens.revoke(1)).toBe(true);
  expect(tokens.revoke(1)).toBe(false);
  expect(tokens.verify(token)).toBeUndefined();
  expect(open().verify(token)).toBeUndefined();
});

test('no two are the same, and the database does not know them', () => {
  const tokens = open();
  const made = Array.from({ length: 100 }, () => tokens.create('many', 'read_write').token);
  expect(new Set(made).size).toBe(100);
  const rows = JSON.stringify(store.database.prepare('SELECT * FROM tokens').all());
  for (const token of made) expect(rows).not.toContain(token);
});

test('its last use is noted, once a minute at most', () => {
  const tokens = open();
  const { token } = tokens.create('deploy', 'read_only');
  tokens.verify(token);
  nowMs += 30_000;
  tokens.verify(token);
  expect(tokens.list()[0]?.used).toBe('2026-01-02T03:04:05');
  nowMs += 31_000;
  tokens.verify(token);
  expect(open().list()[0]?.used).toBe('2026-01-02T03:05:06');
});

test('a store knows that it has had tokens, even when all are revoked', () => {
  expect(open().isNew).toBe(true);
  open().create('first', 'read_write');
  open().revoke(1);
  expect(open().isNew).toBe(false);
  expect(open().create('second', 'read_write').info.id).toBe(2);
});
