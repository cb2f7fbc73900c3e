// The verbs that act on the store, with the real binary: while a balancer runs, and while none does.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openStore } from '../../../control/store/sqlite-store.ts';
import { fileWith } from '../../../testing/files.ts';
import { rewriteRevision } from '../../../testing/older-store.ts';
import { Peer, PeerListener } from '../../../testing/peer.ts';
import { freePort } from '../../../testing/ports.ts';
import { Home } from '../../../testing/stored-balancer.ts';
import { type Ran, runBinary } from '../process/binary.ts';

let home: Home;
beforeEach(() => {
  home = new Home();
});
afterEach(() => home.remove());

function balancer(...args: string[]): Promise<Ran> {
  return runBinary(args, { env: { BALANCER_DATA_DIR: home.dataDir } });
}

function fileFor(port: number, proxyProtocol = 'none', node = '192.0.2.10:8080'): string {
  return fileWith(`
nodebalancers:
  - label: web
    ipv4: 127.0.0.1
    configs:
      - { port: ${port}, proxy_protocol: ${proxyProtocol}, nodes: [{ label: web-1, address: "${node}" }] }
`);
}

describe('while no balancer runs', () => {
  test('apply, history, rollback and export work on the store, and the next start has it', async () => {
    const port = await freePort();
    const first = await balancer('apply', '-f', fileFor(port));
    expect(first).toMatchObject({ code: 0, stdout: 'web: added, 1 config\n' });
    expect(first.stderr).toContain('in force when the balancer starts');
    const second = await balancer('apply', '-f', fileFor(port, 'v2'));
    expect(second).toMatchObject({ code: 0, stdout: `web port ${port}: proxy_protocol none -> v2\n` });
    expect(await balancer('apply', '-f', fileFor(port, 'v2'))).toMatchObject({ code: 0, stdout: '' });

    const { stdout: history } = await balancer('history', '--json');
    expect(JSON.parse(history)).toMatchObject([
      { revision: 2, author: 'operator' },
      { revision: 1, author: 'operator' },
    ]);
    expect(await balancer('rollback', '1')).toMatchObject({
      code: 0,
      stdout: `web port ${port}: proxy_protocol v2 -> none\n`,
    });
    const { stdout: yaml } = await balancer('export');
    expect(yaml).toContain('proxy_protocol: none');
    // What is exported is what is there.
    expect(await balancer('apply', '--dry-run', '-f', fileWith(yaml))).toMatchObject({ code: 0, stdout: '' });

    const running = await home.start();
    expect(running.program.stderr).toContain(`127.0.0.1:${port} web`);
    // The store was not new, but nobody had a token yet.
    expect((await running.request('GET', '/v4/nodebalancers')).status).toBe(200);
    await running.stop();
  });

  test('a stored configuration that breaks a newer rule is refused at the start, and mended by rollback or by export and apply', async () => {
    const port = await freePort();
    await balancer('apply', '-f', fileFor(port));
    await balancer('apply', '-f', fileFor(port, 'v2'));
    const store = openStore(home.dataDir);
    const { inventory } = store.read();
    store.close();
    const older = JSON.parse(JSON.stringify(inventory).replace('192.0.2.10:8080', '224.0.0.1:8080'));
    const makeOlder = (revision: number) => rewriteRevision(home.dataDir, revision, older);
    makeOlder(2);
    const refused = await home.launch();
    expect((await refused.waitForExit()).code).toBe(78);
    expect(refused.stderr).toContain(
      `(web port ${port}, node web-1): found "224.0.0.1:8080" (a multicast address), expected`,
    );
    expect(refused.stderr).toMatch(/balancer rollback/);
    expect(refused.stderr).not.toMatch(/damaged|balancer ready/);

    const { stdout: yaml } = await balancer('export');
    expect(yaml).toContain('224.0.0.1:8080');
    expect((await balancer('rollback', '1')).code).toBe(0);
    expect((await balancer('rollback', '2')).stderr).toContain('not accepted by this version');
    const running = await home.start();
    expect(running.program.stderr).toContain(`127.0.0.1:${port} web: tcp, roundrobin, no PROXY header`);
    await running.stop();

    makeOlder(3);
    expect((await balancer('apply', '-f', fileWith(yaml))).code).toBe(78);
    const mended = await balancer('apply', '-f', fileWith(yaml.replace('224.0.0.1', '192.0.2.77')));
    expect(mended).toMatchObject({ code: 0, stdout: expect.stringContaining('the whole configuration anew') });
    const again = await home.start();
    expect(again.program.stderr).toContain('192.0.2.77:8080');
    await again.stop();
  });

  test('a byte of an old revision that has changed is found by check --store, whether a balancer runs or not', async () => {
    await balancer('apply', '-f', fileFor(1001));
    await balancer('apply', '-f', fileFor(1002));
    await balancer('apply', '-f', fileFor(await freePort()));
    const path = join(home.dataDir, 'balancer.db');
    const whole = await balancer('check', '--store');
    expect(whole).toMatchObject({ code: 0, stdout: `${path}: ok, 3 revisions, 0 tokens\n` });
    const store = new DatabaseSync(path);
    store.exec("UPDATE revisions SET author = 'operatos' WHERE revision = 2");
    store.close();
    const found = expect.stringMatching(
      /balancer\.db: revision 2, who changed what and when: .*\n1 problem\. Nothing was/,
    );
    expect(await balancer('check', '--store')).toMatchObject({ code: 78, stdout: '', stderr: found });
    expect(await balancer('rollback', '2')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/revision 2 in .* is damaged/),
    });
    const running = await home.start();
    expect(await balancer('check', '--store')).toMatchObject({ code: 78, stdout: '', stderr: found });
    const { stdout } = await balancer('check', '--store', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, revisions: 3, problems: [expect.any(String)] });
    await running.stop();
  });

  test('a dry run changes nothing', async () => {
    await balancer('apply', '-f', fileFor(1));
    const { stdout } = await balancer('apply', '--dry-run', '-f', fileFor(2));
    expect(stdout).toContain('web port 2: added');
    expect(JSON.parse((await balancer('history', '--json')).stdout)).toHaveLength(1);
  });

  test.each([
    ['history'],
    ['export'],
    ['token', 'list'],
    ['rollback', '1'],
    ['conns'],
    ['kill', '--client', '192.0.2.1'],
    ['login'],
    ['login', 'list'],
    ['check', '--store'],
  ])('%s %s says that there is nothing, and makes nothing', async (...args) => {
    const ran = await balancer(...args);
    expect(ran.code).toBe(1);
    expect(ran.stderr).toMatch(/^balancer: (there is no store in|no balancer runs)/);
    expect(existsSync(join(home.dataDir, 'balancer.db'))).toBe(false);
  });

  test('a bad file is refused as check refuses it', async () => {
    const ran = await balancer('apply', '-f', fileWith('nodebalancers:\n  - label: x\n'));
    expect(ran.code).toBe(78);
    expect(ran.stderr).toContain('Label must be between 3 and 32 characters.');
  });

  test('a token made now is good once the balancer runs; one that is revoked is not', async () => {
    const { stdout, code } = await balancer('token', 'create', '--scope', 'read_write', '--label', 'deploy');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^balancer_\S+\n$/);
    home.token = stdout.trim();
    const running = await home.start();
    // There is one already.
    expect(existsSync(join(home.dataDir, 'first-login'))).toBe(false);
    expect((await running.request('GET', '/v4/profile')).body).toMatchObject({ username: 'deploy' });
    const [{ id }] = JSON.parse((await balancer('token', 'list', '--json')).stdout);
    expect((await balancer('token', 'revoke', String(id))).code).toBe(0);
    expect((await running.request('GET', '/v4/profile')).status).toBe(401);
    await running.stop();
  });
});

describe('while one runs', () => {
  test('apply is in force at once, and what it does not concern goes on', async () => {
    const node = await PeerListener.listen('127.0.0.1', await freePort());
    const port = await freePort();
    const running = await home.start();
    const address = `127.0.0.1:${node.port}`;
    expect((await balancer('apply', '-f', fileFor(port, 'none', address))).stderr).toContain('in force');
    const client = await Peer.connect({ host: '127.0.0.1', port });
    const accepted = await node.accept();
    await balancer('apply', '-f', fileFor(port, 'v2', address));
    await client.send('still here');
    expect((await accepted.recv(10)).toString()).toBe('still here');

    const name = `127.0.0.1:${client.socket.localPort}`;
    const { sessions } = JSON.parse((await balancer('conns', '--json')).stdout);
    expect(sessions).toMatchObject([{ client: name, nodebalancer: 'web', port, node: { label: 'web-1' } }]);
    expect((await balancer('conns')).stdout).toContain(name);
    // An unset variable of a shell is not "all".
    expect(await balancer('kill', '--client', '', '--port', String(port))).toMatchObject({ code: 2 });
    expect((await balancer('kill', '--client', '192.0.2.77')).stderr).toBe('0 sessions ended\n');
    expect((await balancer('kill', sessions[0].id)).stderr).toBe('1 session ended\n');
    await client.recvEnd();
    client.destroy();
    for (const [args, missing] of [
      [['kill', sessions[0].id], `session ${sessions[0].id}`],
      [['token', 'revoke', '4711'], 'token 4711'],
      [['login', 'revoke', '4711'], 'login 4711'],
      [['rollback', '4711'], 'revision 4711'],
    ] as const) {
      const { code, stderr } = await balancer(...args);
      expect([code, stderr]).toEqual([1, expect.stringMatching(`^balancer: there is no ${missing}[,:]`)]);
    }
    const { stdout: link } = await balancer('login');
    expect(link).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/login\?code=\S+\n$/);
    // The first one is that of the first start.
    const login = JSON.parse((await balancer('login', 'list', '--json')).stdout).at(-1);
    expect(login).toMatchObject({ author: 'operator', kind: 'one_time', opened: null });
    expect((await balancer('login', 'list')).stdout).toMatch(
      /^ *ID +WHO +SCOPE +BY .*\n.* operator +read_write +address +/,
    );
    expect((await balancer('login', 'revoke', String(login.id))).stderr).toBe(`login ${login.id} is over\n`);
    const opened = await fetch(link.trim(), { redirect: 'manual' });
    expect([opened.status, opened.headers.get('set-cookie')]).toEqual([303, null]);
    await running.stop();
    await node.close();
  });

  test('with a configuration file, writes are refused and name it', async () => {
    const file = fileFor(await freePort());
    const running = await home.start({ args: ['-f', file] });
    for (const args of [
      ['apply', '-f', fileFor(1)],
      ['rollback', '1'],
    ]) {
      const ran = await balancer(...args);
      expect(ran.code).toBe(1);
      expect(ran.stderr).toContain(file);
    }
    expect((await balancer('export')).stdout).toContain('label: web');
    await running.stop();
  });
});

test.each([
  [['token']],
  [['token', 'creat']],
  [['token', 'create', '--label', 'x']],
  [['token', 'create', '--scope', 'admin', '--label', 'x']],
  [['token', 'revoke', 'x']],
  [['login', 'revok', '1']],
  [['login', 'revoke', 'x']],
  [['apply']],
  [['rollback']],
  [['rollback', '-1']],
  [['history', '--limit', '0']],
  [['kill']],
  [['kill', 'id', '--client', '192.0.2.1']],
  [['check', '--store', '-f', 'x']],
  [['check', '-f', 'x', '--data-dir', 'y']],
])('%j is a mistake of usage', async (args) => {
  expect((await balancer(...args)).code).toBe(2);
});
