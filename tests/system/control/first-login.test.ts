// How the first token and the first address of the page reach the operator, with the real binary:
// on a terminal by being printed, anywhere else in a file that goes with their first use. Never in
// what a journal keeps, and never from a start that fails.

import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BALANCER } from '../../../testing/balancer.ts';
import { fileWith } from '../../../testing/files.ts';
import { freePort, LOOPBACK_IPV4 } from '../../../testing/ports.ts';
import { type Program, startProgram } from '../../../testing/process.ts';
import { Home } from '../../../testing/stored-balancer.ts';
import { runBinary } from '../process/binary.ts';

const SECRET = /balancer_[\w-]{20,}|code=/;
const TOKEN = /^ {2}(balancer_\S+)$/m;
const ADDRESS = /^ {2}(http\S+\/login\?code=\S+)$/m;
const NOTICE = /^A first token .* are in (\S+): /m;

let home: Home;
let file: string;
let programs: Program[] = [];
let servers: Server[] = [];

beforeEach(() => {
  home = new Home();
  file = join(home.dataDir, 'first-login');
});
afterEach(async () => {
  for (const server of servers) server.close();
  servers = [];
  for (const program of programs) await program.stop();
  programs = [];
  home.remove();
});

async function launch(...options: Parameters<Home['launch']>): Promise<Program> {
  const program = await home.launch(...options);
  programs.push(program);
  return program;
}

/** Waits until it has said where they are. @returns what the file has */
async function handedOver(program: Program): Promise<{ token: string; address: string }> {
  const [, path] = await program.waitForOutput(NOTICE);
  expect(path).toBe(file);
  expect(program.output).not.toMatch(SECRET);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  return secretsIn(readFileSync(file, 'utf8'));
}

function secretsIn(text: string): { token: string; address: string } {
  const [token = '', address = ''] = [TOKEN.exec(text)?.[1], ADDRESS.exec(text)?.[1]];
  expect([token, address], text).not.toContain('');
  return { token, address };
}

async function status(token: string): Promise<number> {
  const { BALANCER_ADMIN_ADDRESS } = await home.env();
  const headers = { authorization: `Bearer ${token}` };
  return (await fetch(`http://${BALANCER_ADMIN_ADDRESS}/v4/profile`, { headers })).status;
}

async function take(port: number): Promise<Server> {
  const server = createServer();
  servers.push(server);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, LOOPBACK_IPV4, resolve);
  });
  return server;
}

test('where stderr is no terminal they are in a file, which goes with the first use of the token; a restart before that changes nothing', async () => {
  const first = await launch();
  const { token } = await handedOver(first);
  // After everything that says what listens.
  expect(first.stderr).toMatch(/^balancer ready[\s\S]*^A first token/m);
  await first.stop();
  expect(existsSync(file)).toBe(true);

  const second = await launch();
  await second.waitForOutput(/^balancer ready/m);
  expect(await status('balancer_wrong')).toBe(401);
  expect(existsSync(file)).toBe(true);
  expect(await status(token)).toBe(200);
  expect(existsSync(file)).toBe(false);
  expect(await status(token)).toBe(200);
  expect(second.output).not.toMatch(SECRET);
  expect(second.output).not.toMatch(NOTICE);
});

test('on a terminal they are printed, once everything listens, and no file is made', async () => {
  const env = await home.env();
  // script(1) gives it a terminal; what appears there comes out of it.
  const program = await startProgram({
    name: 'script',
    command: 'script',
    args: ['-qefc', `${BALANCER} run`, '/dev/null'],
    env,
  });
  programs.push(program);
  await program.waitForOutput(/login\?code=\S+\s/);
  const said = program.stdout.replaceAll('\r\n', '\n');
  const { token, address } = secretsIn(said);
  expect(said).toMatch(/^balancer ready[\s\S]*^A token for the API, of scope read_write/m);
  expect(existsSync(file)).toBe(false);
  expect(await status(token)).toBe(200);
  expect((await fetch(address, { redirect: 'manual' })).status).toBe(303);
  process.kill(Number(/^balancer ready: .*pid (\d+)/m.exec(said)?.[1]), 'SIGTERM');
  await program.waitForExit();
});

test('a start that fails because a stored port is taken tells nobody anything, and the next one does', async () => {
  const port = await freePort();
  const configuration = `nodebalancers: [{ label: web, ipv4: 127.0.0.1, configs: [{ port: ${port} }] }]`;
  await runBinary(['apply', '-f', fileWith(configuration)], { env: await home.env() });
  const thief = await take(port);
  const failed = await launch();
  expect((await failed.waitForExit()).code).not.toBe(0);
  expect(failed.output).toMatch(/the port is in use/);
  expect(failed.output).not.toMatch(SECRET);
  expect(failed.output).not.toMatch(NOTICE);
  expect(existsSync(file)).toBe(false);
  await new Promise((resolve) => thief.close(resolve));
  const { token } = await handedOver(await launch());
  expect(await status(token)).toBe(200);
});

test('with a file, they wait until the API listens', async () => {
  const { BALANCER_ADMIN_ADDRESS = '' } = await home.env();
  const thief = await take(Number(BALANCER_ADMIN_ADDRESS.split(':')[1]));
  const path = join(home.directory, 'balancer.yaml');
  writeFileSync(path, `nodebalancers: [{ label: web, ipv4: 127.0.0.1, configs: [{ port: ${await freePort()} }] }]`);
  const program = await launch({ args: ['-f', path] });
  await program.waitForOutput(/^balancer ready/m);
  expect(program.output).toMatch(/the API cannot listen on/);
  expect(existsSync(file)).toBe(false);
  thief.close();
  await handedOver(program);
  expect(program.output).toMatch(/the API listens on [\s\S]*A first token/);
});

describe('what else lies in the data directory', () => {
  test('as a directory under every name that can be done without is said, and the balancer serves', async () => {
    const names = ['statistics.db', 'file-inventory.json', 'first-login', 'control.sock', 'balancer.sock'];
    for (const name of names) mkdirSync(join(home.dataDir, name, 'inside'), { recursive: true });
    const path = join(home.directory, 'balancer.yaml');
    writeFileSync(path, `nodebalancers: [{ label: web, ipv4: 127.0.0.1, configs: [{ port: ${await freePort()} }] }]`);
    const program = await launch({ args: ['-f', path] });
    await program.waitForOutput(/no first token could be handed over/);
    for (const name of names) expect(program.stderr).toMatch(new RegExp(`warn .*${name.replace('.', '\\.')}`));
    expect(program.stderr).not.toMatch(/^\s+at /m);
    expect(await program.stop()).toEqual({ code: 0, signal: null });
    for (const name of names) expect(existsSync(join(home.dataDir, name, 'inside'))).toBe(true);
  });

  test('as a directory in the place of login.key is refused with the way out', async () => {
    mkdirSync(join(home.dataDir, 'login.key'), { recursive: true });
    const program = await launch();
    expect((await program.waitForExit()).code).toBe(78);
    expect(program.stderr).toMatch(/login\.key, is a directory, expected a file\. Move it away/);
    expect(program.stderr).not.toMatch(/^\s+at /m);
    // What needs no key works.
    const ran = await runBinary(['token', 'create', '--scope', 'read_only', '--label', 'x'], { env: await home.env() });
    expect(ran).toMatchObject({ code: 0, stderr: '' });
  });
});
