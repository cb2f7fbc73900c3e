// The first token and the first address of the page: printed on a terminal, else put into a file
// that goes with their first use, made once in the life of a store, and not made where they cannot
// be handed over.

import { existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loginKey } from '../../../control/api/login-key.ts';
import { Logins } from '../../../control/api/logins.ts';
import { FirstLogin } from '../../../control/first-login.ts';
import { LoginTable } from '../../../control/store/login-table.ts';
import { openStore, type SqliteStore } from '../../../control/store/sqlite-store.ts';
import { Tokens } from '../../../control/store/tokens.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../../../testing/temporary.ts';

let directory: string;
let path: string;
let store: SqliteStore;
let shown: string[];
let warned: string[];

beforeEach(() => {
  directory = makeTemporaryDirectory('first');
  path = join(directory, 'first-login');
  store = openStore(directory);
  shown = [];
  warned = [];
});
afterEach(() => {
  store.close();
  removeTemporaryDirectory(directory);
});

/** As a process has them that opens this store. */
function start(isTerminal = false): { tokens: Tokens; logins: Logins; firstLogin: FirstLogin } {
  const tokens = new Tokens(store.database);
  const logins = new Logins(loginKey(directory).key, new LoginTable(store.database), tokens, Date.now);
  const firstLogin = new FirstLogin({
    directory,
    tokens,
    logins,
    pageUrl: 'http://192.0.2.1:8080',
    isTerminal,
    show: (text) => shown.push(text),
    warn: (message) => warned.push(message),
  });
  return { tokens, logins, firstLogin };
}

function secretsIn(text: string): { token: string; code: string } {
  const [token = '', code = ''] = [/^ {2}(balancer_\S+)$/m.exec(text)?.[1], /\/login\?code=(\S+)$/m.exec(text)?.[1]];
  expect([token, code], text).not.toContain('');
  return { token, code };
}

const inFile = () => secretsIn(readFileSync(path, 'utf8'));

test('on a terminal they are printed, once, and both are good', () => {
  const { tokens, logins, firstLogin } = start(true);
  expect(shown).toEqual([]);
  for (let i = 0; i < 2; i++) firstLogin.offer();
  expect(shown).toHaveLength(1);
  const { token, code } = secretsIn(shown[0] ?? '');
  expect(tokens.verify(token)).toMatchObject({ label: 'first', scope: 'read_write' });
  expect(logins.withCode(code)?.caller.author).toBe('operator');
  expect(existsSync(path)).toBe(false);
  expect(warned).toEqual([]);
});

describe('anywhere else they are in a file', () => {
  test('for its owner alone, and what is shown names it and no secret', () => {
    start().firstLogin.offer();
    const { token, code } = inFile();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(shown).toEqual([expect.stringContaining(path)]);
    for (const secret of [token, code]) expect(shown[0]).not.toContain(secret);
  });

  test.each<[what: string, use: (process: ReturnType<typeof start>) => unknown]>([
    ['token is first used', ({ tokens }) => tokens.verify(inFile().token)],
    ['address is opened', ({ logins }) => logins.withCode(inFile().code)],
    ['token is revoked', ({ tokens }) => tokens.revoke(1)],
  ])('that goes when its %s, also after a restart', (_what, use) => {
    const before = start();
    before.firstLogin.offer();
    const after = start();
    after.tokens.verify('balancer_wrong');
    after.logins.withCode('wrong');
    after.tokens.verify(after.tokens.create('other', 'read_only').token);
    expect(existsSync(path)).toBe(true);
    use(after);
    expect(existsSync(path)).toBe(false);
    after.firstLogin.offer();
    expect([existsSync(path), shown.length]).toEqual([false, 1]);
  });

  test('that goes at the next start, where the token was revoked while nothing ran, or belongs to another store', () => {
    start().firstLogin.offer();
    new Tokens(store.database).revoke(1);
    start();
    expect(existsSync(path)).toBe(false);
  });
});

test('where the file cannot be written there is no token, and the next start tries again', () => {
  mkdirSync(path);
  const { tokens, logins, firstLogin } = start();
  firstLogin.offer();
  expect(warned).toEqual([expect.stringMatching(/: .*first-login is a directory, expected a file\. .*token create/)]);
  expect([tokens.list(), logins.list(), shown, tokens.isNew]).toEqual([[], [], [], true]);
  expect(statSync(path).isDirectory()).toBe(true);
  rmSync(path, { recursive: true });
  start().firstLogin.offer();
  expect(start().tokens.peek(inFile().token)).toMatchObject({ id: 1, used: null });
});

test('where the token cannot be stored there is no file', () => {
  const { firstLogin } = start();
  store.database.exec('PRAGMA query_only = ON');
  firstLogin.offer();
  expect(warned).toEqual([expect.stringMatching(/^no first token could be handed over: /)]);
  expect([existsSync(path), existsSync(`${path}.new`), shown]).toEqual([false, false, []]);
});

test('a store that has had a token gets no first one', () => {
  const { tokens, firstLogin } = start();
  tokens.create('mine', 'read_write');
  tokens.revoke(1);
  firstLogin.offer();
  expect([existsSync(path), shown]).toEqual([false, []]);
});
