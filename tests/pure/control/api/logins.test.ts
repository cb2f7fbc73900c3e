// Logins at the page: logging out ends one for good, also for whoever has kept its cookie; one-time
// addresses work once; all of them can be listed and ended, and outlive a restart.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loginKey } from '../../../../control/api/login-key.ts';
import { Logins } from '../../../../control/api/logins.ts';
import { LoginTable } from '../../../../control/store/login-table.ts';
import { Tokens } from '../../../../control/store/tokens.ts';
import { type Lab, startLab } from './support.ts';

const LIST = '/v4/nodebalancers';
const LOGIN = '/balancer/v1/login';
const LOGINS = '/balancer/v1/logins';
const HOUR_MS = 3_600_000;

let lab: Lab;
beforeEach(() => {
  lab = startLab();
});
afterEach(async () => {
  expect(lab.faults).toEqual([]);
  await lab.close();
});

interface Cookie {
  readonly cookie: string;
  readonly csrf: string;
}

async function logIn(token = lab.context.tokens.create('person', 'read_write').token): Promise<Cookie> {
  const answer = await lab.app.inject({ method: 'POST', url: LOGIN, payload: { token } });
  expect(answer.statusCode).toBe(200);
  return { cookie: cookieOf(answer.headers['set-cookie']), csrf: answer.json().csrf };
}

function cookieOf(header: unknown): string {
  return String(header).split(';')[0] ?? '';
}

/** @returns the cookie that it gives, empty without one */
async function open(path: string): Promise<string> {
  const answer = await lab.app.inject({ url: path });
  expect(answer.statusCode).toBe(303);
  return answer.headers['set-cookie'] === undefined ? '' : cookieOf(answer.headers['set-cookie']);
}

async function logOut(cookie: string) {
  return lab.app.inject({ method: 'POST', url: `${LOGIN}/end`, headers: { cookie }, payload: {} });
}

async function status(cookie: string): Promise<number> {
  return (await lab.app.inject({ url: LIST, headers: { cookie } })).statusCode;
}

/** As the next process would have them. */
function afterRestart(): Logins {
  const tokens = new Tokens(lab.store.database, () => lab.clockMs);
  return new Logins(loginKey(lab.directory).key, new LoginTable(lab.store.database), tokens, () => lab.clockMs);
}

const secretOf = (cookie: string): string => cookie.slice(cookie.indexOf('=') + 1);

describe('logging out', () => {
  test('ends the login, and no other one of the same token', async () => {
    const { token } = lab.context.tokens.create('person', 'read_write');
    // In the same moment: two logins are two, also then.
    const [left, stays] = [await logIn(token), await logIn(token)];
    expect([await status(left.cookie), await status(stays.cookie)]).toEqual([200, 200]);
    const answer = await logOut(left.cookie);
    expect(answer.statusCode).toBe(200);
    expect(String(answer.headers['set-cookie'])).toMatch(/Max-Age=0/);
    expect([await status(left.cookie), await status(stays.cookie)]).toEqual([401, 200]);
    expect((await lab.app.inject({ url: LOGIN, headers: { cookie: left.cookie } })).statusCode).toBe(401);
    const change = { ...left, 'x-csrf-token': left.csrf };
    expect((await lab.app.inject({ method: 'POST', url: LIST, headers: change, payload: {} })).statusCode).toBe(401);
    // Once more, and by whoever has none, it is nothing.
    for (const cookie of [left.cookie, 'other=1', '']) expect((await logOut(cookie)).statusCode).toBe(200);
  });

  test('lasts over a restart, as the logins do that go on', async () => {
    const [left, stays] = [await logIn(), await logIn()];
    await logOut(left.cookie);
    const restarted = afterRestart();
    expect(restarted.withCookie(secretOf(left.cookie))).toBeUndefined();
    expect(restarted.withCookie(secretOf(stays.cookie))).toMatchObject({
      csrf: stays.csrf,
      caller: { author: 'person' },
    });
  });

  test('ends that of a one-time address, too', async () => {
    const { path } = (await lab.ask('POST', `${LOGIN}/codes`)).body;
    const cookie = await open(path);
    expect(await status(cookie)).toBe(200);
    await logOut(cookie);
    expect(await status(cookie)).toBe(401);
    expect(await open(path)).toBe('');
  });

  test('where a browser sends two cookies of the name, ends both', async () => {
    const [one, two] = [await logIn(), await logIn()];
    await logOut(`${one.cookie}; ${two.cookie}`);
    expect([await status(one.cookie), await status(two.cookie)]).toEqual([401, 401]);
  });

  test('that cannot be written is over all the same, says so, and is written with the next one', async () => {
    const [left, stays] = [await logIn(), await logIn()];
    lab.store.database.exec('PRAGMA query_only = ON');
    const answer = await logOut(left.cookie);
    expect(answer.statusCode).toBe(507);
    expect(answer.json().errors[0].reason).toMatch(/^login 1 is over, but that cannot be written: .*After a restart/);
    expect([await status(left.cookie), await status(stays.cookie)]).toEqual([401, 200]);
    // A full disk shuts nobody out who comes to mend it.
    const meanwhile = await logIn(lab.token);
    expect(await status(meanwhile.cookie)).toBe(200);
    lab.store.database.exec('PRAGMA query_only = OFF');
    await logOut(stays.cookie);
    const restarted = afterRestart();
    expect(restarted.withCookie(secretOf(left.cookie))).toBeUndefined();
    expect(restarted.withCookie(secretOf(meanwhile.cookie))).toBeDefined();
  });
});

describe('one-time addresses', () => {
  const make = async () =>
    (await lab.ask('POST', `${LOGIN}/codes`)).body as { id: number; path: string; until: string };
  const list = async () => (await lab.ask('GET', LOGINS)).body.data as { id: number; opened: string | null }[];

  test('log in once, within 15 minutes, also after a restart', async () => {
    const [first, late] = [await make(), await make()];
    expect(first.until).toBe('2026-01-02T03:19:05');
    const code = new URLSearchParams(first.path.split('?')[1]).get('code') ?? '';
    // The code is no cookie.
    expect(lab.context.logins.withCookie(code)).toBeUndefined();
    const restarted = afterRestart();
    const login = restarted.withCode(code);
    expect(login?.caller).toEqual({ author: 'operator', scope: 'read_write' });
    expect(restarted.withCookie(login?.value ?? '')).toBeDefined();
    // And the cookie is no code.
    expect(restarted.withCode(login?.value ?? '')).toBeUndefined();
    expect(restarted.withCode(code)).toBeUndefined();
    expect(afterRestart().withCode(code)).toBeUndefined();
    lab.clockMs += 15 * 60_000 + 1;
    expect(await open(late.path)).toBe('');
  });

  test('are not used up by whoever only asks what is there', async () => {
    const { path } = await make();
    expect((await lab.app.inject({ method: 'HEAD', url: path })).statusCode).toBe(401);
    expect(await open(path)).not.toBe('');
  });

  test('are listed, and can be taken back before somebody opens them, and afterwards', async () => {
    const [unopened, opened] = [await make(), await make()];
    lab.clockMs += 60_000;
    const cookie = await open(opened.path);
    expect(await list()).toEqual([
      {
        id: unopened.id,
        author: 'operator',
        scope: 'read_write',
        kind: 'one_time',
        created: '2026-01-02T03:04:05',
        opened: null,
        until: '2026-01-02T03:19:05',
      },
      expect.objectContaining({ id: opened.id, opened: '2026-01-02T03:05:05', until: '2026-01-02T15:05:05' }),
    ]);
    for (const { id } of [unopened, opened]) {
      expect((await lab.ask('DELETE', `${LOGINS}/${id}`)).status).toBe(200);
      expect((await lab.ask('DELETE', `${LOGINS}/${id}`)).status).toBe(404);
    }
    expect(await open(unopened.path)).toBe('');
    expect(await status(cookie)).toBe(401);
    expect(await list()).toEqual([]);
    expect(afterRestart().list()).toEqual([]);
  });

  test('show nobody how to get in: neither list nor database has what logs in', async () => {
    const { path } = await make();
    const code = path.split('code=')[1] ?? '';
    const { cookie } = await logIn();
    const rows = JSON.stringify(lab.store.database.prepare('SELECT * FROM logins').all());
    for (const text of [rows, JSON.stringify(await list())]) {
      expect(text).not.toContain(code);
      expect(text).not.toContain(secretOf(cookie));
    }
  });

  test('are at most 100: the oldest is the first to go', async () => {
    const made = [];
    for (let i = 0; i < 101; i++) made.push(await make());
    expect((await list()).map(({ id }) => id)).toEqual(made.slice(1).map(({ id }) => id));
    // Those of a token do not push them out.
    await logIn();
    expect(await list()).toHaveLength(101);
  });
});

describe('the list', () => {
  test('has the logins of tokens, and loses them with the token and with time', async () => {
    const { token, info } = lab.context.tokens.create('looker', 'read_only');
    const looker = await logIn(token);
    await logIn();
    const ask = async () => (await lab.ask('GET', LOGINS)).body.data;
    expect(await ask()).toMatchObject([
      { id: 1, author: 'looker', scope: 'read_only', kind: 'token' },
      { id: 2, author: 'person', scope: 'read_write', kind: 'token' },
    ]);
    lab.context.tokens.revoke(info.id);
    expect(await status(looker.cookie)).toBe(401);
    expect(await ask()).toMatchObject([{ id: 2 }]);
    lab.clockMs += 12 * HOUR_MS + 1;
    expect(await ask()).toEqual([]);
    // What is over is not kept, and its number is not given again.
    await logIn(lab.token);
    expect(lab.store.database.prepare('SELECT id FROM logins').all()).toEqual([{ id: 3 }]);
    expect(afterRestart().createCode().info.id).toBe(4);
  });

  test('is nothing for who may only look, and a cookie alone ends none', async () => {
    const looker = { authorization: `Bearer ${lab.context.tokens.create('looker', 'read_only').token}` };
    expect((await lab.ask('GET', LOGINS, undefined, looker)).status).toBe(403);
    expect((await lab.ask('DELETE', `${LOGINS}/1`, undefined, looker)).status).toBe(403);
    const { cookie, csrf } = await logIn();
    const end = (headers: Record<string, string>) => lab.app.inject({ method: 'DELETE', url: `${LOGINS}/1`, headers });
    expect((await end({ cookie })).statusCode).toBe(403);
    expect((await end({ cookie, 'x-csrf-token': csrf })).statusCode).toBe(200);
    expect(await status(cookie)).toBe(401);
  });

  test('takes 120 logins a minute of a token: each is written to the disk', async () => {
    for (let i = 0; i < 120; i++) await logIn(lab.token);
    const refused = await lab.app.inject({ method: 'POST', url: LOGIN, payload: { token: lab.token } });
    expect([refused.statusCode, Number(refused.headers['retry-after']) > 0]).toEqual([429, true]);
    expect((await lab.ask('GET', LOGINS)).body.data).toHaveLength(100);
    lab.clockMs += 60_000;
    await logIn(lab.token);
  });
});

test('one that is not what was written lets nobody in', async () => {
  const [damaged, whole] = [await logIn(), await logIn()];
  // To the rights of another token, that of the lab itself.
  lab.store.database.exec('UPDATE logins SET token = 1 WHERE id = 1');
  const restarted = afterRestart();
  expect(restarted.withCookie(secretOf(damaged.cookie))).toBeUndefined();
  expect(restarted.withCookie(secretOf(whole.cookie))).toBeDefined();
  expect((await lab.context.checkStore()).problems).toEqual([
    expect.stringMatching(/^login 1 is not what was written/),
  ]);
});
