// The control plane beside the data plane, with the real binary: what its API is told is served at once and kept over restarts; its
// thread may die at any time without a session noticing; what would end in a configuration nobody meant is refused at the start.

import { lookup } from 'node:dns/promises';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { paced } from '../../../testing/balancer.ts';
import { accepts, freePort, LOOPBACK_IPV4 } from '../../../testing/ports.ts';
import { eventually } from '../../../testing/process.ts';
import { answersAgain, Home, type StoredBalancer } from '../../../testing/stored-balancer.ts';
import { PACE } from '../../../workers/pace.ts';
import { EchoNode, EchoStream } from '../process/echo.ts';

const EXIT_TEMPORARY = 75;
const EXIT_CONFIG = 78;
const EXIT_USAGE = 2;
/** Longer than any test waits. */
const NEVER_MS = 600_000;
const DEATH_REASONS: Readonly<Record<string, RegExp>> = {
  'control-throw': /fault injected: throw in the control thread/,
  'control-out-of-memory': /it ran out of memory/,
  'control-block': /it was stuck and was stopped/,
};

let home: Home;
let node: EchoNode;
let balancers: StoredBalancer[] = [];
let streams: EchoStream[] = [];

beforeEach(async () => {
  home = new Home();
  node = await EchoNode.listen();
});

afterEach(async () => {
  for (const stream of streams) stream.destroy();
  streams = [];
  await Promise.all(balancers.map((balancer) => balancer.stop()));
  balancers = [];
  await node.close();
  home.remove();
});

async function start(...options: Parameters<Home['start']>): Promise<StoredBalancer> {
  const balancer = await home.start(...options);
  balancers.push(balancer);
  return balancer;
}

async function serving(
  balancer: StoredBalancer,
  label = 'web',
): Promise<{ port: number; path: string; config: string }> {
  const port = await freePort();
  const made = await balancer.create(label, { port }, [{ label: 'echo', address: node.address }]);
  return { port, ...made };
}

async function stream(port: number): Promise<EchoStream> {
  const one = await EchoStream.open(port, streams.length, { window: 1000, paceMs: 5 });
  streams.push(one);
  await one.moves(5000);
  return one;
}

function inject(balancer: StoredBalancer, fault: string): void {
  balancer.program.write(`${fault}\n`);
}

/** Injects the fault and waits until the next thread serves. */
async function diesAndServes(balancer: StoredBalancer, fault: string): Promise<string> {
  const from = balancer.program.stderr.length;
  inject(balancer, fault);
  const said = () => balancer.program.stderr.slice(from);
  await balancer.program.waitUntil(`a successor after ${fault}`, () => said().includes('control thread serves again'));
  return said();
}

describe('with a store', () => {
  test('starts empty, serves what it is told, and has it still after a restart', async () => {
    const first = await start();
    expect(first.program.stderr).toMatch(/^balancer ready: 0 addresses/m);
    const { port, path } = await serving(first);
    expect(await (await stream(port)).finish()).toBeUndefined();
    const before = await first.ask('GET', path);
    expect(await first.stop()).toEqual({ code: 0, signal: null });
    expect(await accepts(LOOPBACK_IPV4, port)).toBe(false);

    const second = await start();
    expect(second.program.stderr).toMatch(/^balancer ready: 1 address,/m);
    expect(await (await stream(port)).finish()).toBeUndefined();
    expect(await second.ask('GET', path)).toMatchObject({
      id: before.id,
      label: before.label,
      created: before.created,
    });
  });

  test('what was removed is not listened on any more, and not after a restart', async () => {
    const first = await start();
    const { port, path } = await serving(first);
    await first.ask('DELETE', path);
    expect(await accepts(LOOPBACK_IPV4, port)).toBe(false);
    await first.stop();
    const second = await start();
    expect(second.program.stderr).toMatch(/^balancer ready: 0 addresses/m);
  });

  test('a port that is in use refuses the change and changes nothing', async () => {
    const balancer = await start();
    const { port } = await serving(balancer);
    const { id } = await balancer.ask('POST', '/v4/nodebalancers', {
      region: 'local',
      label: 'two',
      ipv4: '127.0.0.1',
    });
    const refused = await balancer.request('POST', `/v4/nodebalancers/${id}/configs`, {
      protocol: 'tcp',
      port: node.port,
    });
    expect(refused).toMatchObject({ status: 400, body: { errors: [{ field: 'port' }] } });
    expect(JSON.stringify(refused.body)).toContain(`cannot listen on 127.0.0.1:${node.port}: the port is in use`);
    expect(await balancer.ask('GET', `/v4/nodebalancers/${id}/configs`)).toMatchObject({ results: 0 });
    expect(await (await stream(port)).finish()).toBeUndefined();
  });

  test('a node that is the API is refused; a name that leads there, and a port of its own, are warned of, once', async () => {
    const balancer = await start();
    const { port, config } = await serving(balancer);
    const apiPort = Number(new URL(balancer.url).port);
    const refused = await balancer.request('POST', `${config}/nodes`, {
      label: 'api',
      address: `127.0.0.1:${apiPort}`,
    });
    expect([refused.status, JSON.stringify(refused.body)]).toEqual([
      400,
      expect.stringContaining("the address of this balancer's API"),
    ]);
    await balancer.ask('POST', `${config}/nodes`, { label: 'named', address: `localhost:${apiPort}` });
    const outer = await freePort();
    const nodes = [{ label: 'inner', address: `127.0.0.1:${port}` }];
    const { config: outerConfig } = await balancer.create('outer', { port: outer }, nodes);
    await balancer.ask('PUT', outerConfig, { algorithm: 'leastconn' });
    // Where localhost is ::1, too, the node is there.
    const hasOther = (await lookup('localhost', { all: true })).some(({ family }) => family === 6);
    const named =
      /^node named .* takes no connections: its host name resolves to .*, the address of this balancer's API$/;
    const warnings = balancer.program.stderr.split('\n').filter((line) => / warn /.test(line));
    expect(warnings.map((line) => line.slice(line.indexOf('node ')))).toEqual([
      ...(hasOther ? [] : [expect.stringMatching(named)]),
      `node inner (127.0.0.1:${port}) of outer port ${outer} is 127.0.0.1:${port}, web port ${port} of this balancer: each connection to it takes two sessions`,
    ]);
  });

  test('the socket in the data directory is for its owner alone, and goes with the process', async () => {
    const balancer = await start();
    expect(statSync(home.dataDir).mode & 0o777).toBe(0o700);
    const socket = join(home.dataDir, 'control.sock');
    expect(statSync(socket).isSocket()).toBe(true);
    expect(statSync(socket).mode & 0o777).toBe(0o600);
    await balancer.stop();
    expect(existsSync(socket)).toBe(false);
  });

  test('a change leaves a session of another config alone', async () => {
    const balancer = await start();
    const { port } = await serving(balancer);
    const running = await stream(port);
    const other = await serving(balancer, 'other');
    await running.moves(2000);
    await balancer.ask('DELETE', other.path);
    expect(await running.finish()).toBeUndefined();
  });

  test('HUP says that there is no file to read', async () => {
    const balancer = await start();
    balancer.program.signal('SIGHUP');
    await balancer.program.waitForOutput(/SIGHUP: there is no file/);
  });
});

test('metrics say how late each event loop came round, that of a shard which was stuck included', async () => {
  const balancer = await start({ env: { BALANCER_TEST_FAULTS: '1', BALANCER_WORKERS: '1' } });
  const lags = async () => {
    const text = await (await fetch(`${balancer.url}/metrics`)).text();
    const lines = text.matchAll(/^balancer_worker_eventloop_lag_seconds\{worker="(\w+)"\} (\S+)$/gm);
    return Object.fromEntries([...lines].map(([, worker = '', seconds]) => [worker, Number(seconds)] as const));
  };
  await eventually('every loop to have come round', async () => Object.values(await lags()).every((lag) => lag > 0));
  expect(Object.keys(await lags())).toEqual(['0', 'main', 'control']);
  const { port } = await serving(balancer);
  await stream(port);
  inject(balancer, '0 block');
  await balancer.program.waitUntil('a successor', () => balancer.program.stderr.includes('shard 0 serves again'));
  // As long as it took to find out.
  await eventually('the delay to show', async () => ((await lags())['0'] ?? 0) >= 2);
});

test('its thread stands behind every other one, a shard’s above all, for a CPU that both want', async () => {
  const { pid } = (await start()).program;
  const niceOf = new Map<string, Set<number>>();
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    const [, name = '', rest = ''] = /\((.*)\) (.*)/.exec(readFileSync(`/proc/${pid}/task/${task}/stat`, 'utf8')) ?? [];
    // The third field is `rest`'s first, and nice the nineteenth (proc_pid_stat(5)).
    niceOf.set(name, (niceOf.get(name) ?? new Set()).add(Number(rest.split(' ')[16])));
  }
  expect(niceOf.get('control')).toEqual(new Set([10]));
  niceOf.delete('control');
  expect(new Set([...niceOf.values()].flatMap((values) => [...values]))).toEqual(new Set([0]));
});

describe('sessions', () => {
  test('are listed with their names, those of a removed config too; one ends when it is killed, the other goes on', async () => {
    const balancer = await start({ env: { BALANCER_ACCESS_LOG: '-' } });
    const { port, path } = await serving(balancer);
    const [kept, killed] = [await stream(port), await stream(port)];
    await balancer.ask('DELETE', path);
    const list = await balancer.ask('GET', '/balancer/v1/sessions');
    const sessions = list.sessions as { id: string; client: string }[];
    expect(sessions).toHaveLength(2);
    for (const session of sessions) {
      expect(session).toMatchObject({ nodebalancer: 'web', port, node: { label: 'echo', address: node.address } });
    }
    const { id } = sessions.find(({ client }) => client === `127.0.0.1:${killed.clientPort}`) ?? { id: '' };
    await balancer.ask('DELETE', `/balancer/v1/sessions/${id}`);
    await eventually('the end of one', () => killed.problem !== undefined);
    await balancer.program.waitForOutput(/"outcome":"KD"/);
    expect(await balancer.request('DELETE', `/balancer/v1/sessions/${id}`)).toMatchObject({ status: 404 });
    expect(await kept.finish()).toBeUndefined();
  });
});

describe('the death of the control thread', () => {
  test.for(['control-throw', 'control-out-of-memory', 'control-block'])(
    '%s: no session notices, the API comes back',
    async (fault) => {
      // On a busy machine a thread may be silent for longer than usual, its last collections of garbage above all.
      const heartbeatMs = fault === 'control-block' ? PACE.controlHeartbeatMs : NEVER_MS;
      const balancer = await start({ env: paced({ controlHeartbeatMs: heartbeatMs }) });
      const { port, path } = await serving(balancer);
      const running = await stream(port);
      for (let death = 0; death < 2; death++) {
        const said = await diesAndServes(balancer, fault);
        expect(said).toMatch(DEATH_REASONS[fault] ?? /a fault without a reason/);
        expect(said.match(/the control thread died: .*; it starts again in \d+ ms/g)).toHaveLength(1);
        await answersAgain(balancer);
        await running.moves(2000);
      }
      expect(balancer.program.stderr).not.toMatch(/shard \d died/);
      // What it knew of the data plane it knows again, and what it is told is done.
      expect(await balancer.ask('GET', path)).toMatchObject({ label: 'web' });
      expect(await balancer.ask('GET', '/balancer/v1/sessions')).toMatchObject({
        sessions: [{ nodebalancer: 'web', port }],
      });
      const other = await serving(balancer, 'other');
      expect(await (await stream(other.port)).finish()).toBeUndefined();
      expect(await running.finish()).toBeUndefined();
    },
  );

  test('between a change and its write: what is in force is what is stored, and the next start has the same', async () => {
    const balancer = await start({ env: { BALANCER_TEST_FAULTS: '1' } });
    const { port, path, config } = await serving(balancer);
    const running = await stream(port);
    const before = await balancer.ask('GET', config);
    const [added, moved] = [await freePort(), await freePort()];
    for (const change of [
      () => balancer.request('PUT', config, { port: moved }),
      () => balancer.request('POST', `${path}/configs`, { protocol: 'tcp', port: added }),
      () => balancer.request('DELETE', path),
    ]) {
      inject(balancer, 'control-throw-before-write');
      const from = balancer.program.stderr.length;
      await expect(change()).rejects.toThrow();
      await balancer.program.waitUntil('a successor', () =>
        balancer.program.stderr.slice(from).includes('control thread serves again'),
      );
      await answersAgain(balancer);
      await eventually('what was not written to be undone', async () => {
        const [old, ...others] = await Promise.all([port, moved, added].map((one) => accepts(LOOPBACK_IPV4, one)));
        return old === true && !others.includes(true);
      });
      expect(await balancer.ask('GET', config)).toEqual(before);
    }
    // A session whose config went and came back is a session of a removed one: it runs on all the same.
    expect(await running.finish()).toBeUndefined();
    await balancer.stop();
    const again = await start();
    expect(await again.ask('GET', config)).toMatchObject({ port });
    expect(await (await stream(port)).finish()).toBeUndefined();
  });

  test('sessions of a config that was removed before it keep their names', async () => {
    const balancer = await start({ env: { BALANCER_TEST_FAULTS: '1' } });
    const { port, path } = await serving(balancer);
    const running = await stream(port);
    await balancer.ask('DELETE', path);
    await diesAndServes(balancer, 'control-throw');
    expect(await balancer.ask('GET', '/balancer/v1/sessions')).toMatchObject({
      sessions: [{ nodebalancer: 'web', port, node: { label: 'echo' } }],
    });
    expect(await running.finish()).toBeUndefined();
  });

  test('without BALANCER_TEST_FAULTS nothing on stdin is heard', async () => {
    const balancer = await start();
    inject(balancer, 'control-throw');
    inject(balancer, 'control-out-of-memory');
    balancer.program.closeInput();
    await serving(balancer);
    expect(balancer.program.stderr).not.toMatch(/died/);
  });
});

describe('the end', () => {
  test('readiness is gone from the signal on, and clients are served for as long as the delay says', async () => {
    const balancer = await start({ env: { BALANCER_DRAIN_DELAY_MS: '60000' } });
    const { port } = await serving(balancer);
    expect(await balancer.request('GET', '/readyz')).toMatchObject({ status: 200 });
    balancer.program.signal('SIGTERM');
    await eventually('503', async () => (await balancer.request('GET', '/readyz')).status === 503);
    expect(await (await stream(port)).finish()).toBeUndefined();
    const refused = await balancer.request('POST', '/v4/nodebalancers', { region: 'local', label: 'late' });
    expect(refused).toMatchObject({ status: 400 });
    expect(JSON.stringify(refused.body)).toContain('the balancer is about to end');
    balancer.program.signal('SIGTERM');
    expect(await balancer.program.waitForExit()).toEqual({ code: 0, signal: null });
  });
});

describe('refuses to start', () => {
  async function refused(...options: Parameters<Home['launch']>) {
    const program = await home.launch(...options);
    const { code } = await program.waitForExit();
    expect(program.stderr).not.toMatch(/^balancer ready/m);
    return { code, stderr: program.stderr };
  }

  test('with a damaged database: never an empty configuration', async () => {
    const balancer = await start();
    await serving(balancer);
    await balancer.stop();
    writeFileSync(
      join(home.dataDir, 'balancer.db'),
      'not a database at all, and long enough for nobody to take it for one',
    );
    const { code, stderr } = await refused();
    expect(code).toBe(EXIT_CONFIG);
    expect(stderr).toMatch(/balancer\.db/);
    expect(stderr).toMatch(/backup|copy/i);
  });

  test('with a database that another process has', async () => {
    const holder = await start();
    const { code, stderr } = await refused({ env: { BALANCER_ADMIN_ADDRESS: `127.0.0.1:${await freePort()}` } });
    expect(code).toBe(EXIT_TEMPORARY);
    expect(stderr).toContain(home.dataDir);
    // Its socket is not taken away either.
    expect(existsSync(join(home.dataDir, 'control.sock'))).toBe(true);
    expect(await holder.ask('GET', '/v4/nodebalancers')).toMatchObject({ results: 0 });
  });

  test('when a stored port cannot be listened on, naming it', async () => {
    const balancer = await start();
    const { port } = await serving(balancer);
    await balancer.stop();
    const thief = await listen(port);
    const { code, stderr } = await refused();
    expect(code).toBe(EXIT_TEMPORARY);
    expect(stderr).toContain(`cannot listen on 127.0.0.1:${port}: the port is in use`);
    thief.close();
  });

  test('when a stored port is that of the API, which does not go by itself', async () => {
    const balancer = await start();
    const { port } = await serving(balancer);
    await balancer.stop();
    const { code, stderr } = await refused({ env: { BALANCER_ADMIN_ADDRESS: `127.0.0.1:${port}` } });
    expect(code).toBe(EXIT_CONFIG);
    expect(stderr).toContain(`cannot listen on 127.0.0.1:${port}: this balancer's own API has the port`);
  });

  test('when the API cannot listen, naming the address', async () => {
    const taken = await freePort();
    const thief = await listen(taken);
    const { code, stderr } = await refused({ env: { BALANCER_ADMIN_ADDRESS: `127.0.0.1:${taken}` } });
    expect(code).toBe(EXIT_TEMPORARY);
    expect(existsSync(join(home.dataDir, 'first-login'))).toBe(false);
    expect(stderr).not.toMatch(/balancer_[\w-]{20}|code=/);
    expect(stderr).toContain(
      `the API cannot listen on 127.0.0.1:${taken} (BALANCER_ADMIN_ADDRESS): the port is in use by `,
    );
    expect(stderr).toContain(`(pid ${process.pid})`);
    thief.close();
  });

  test('without a file when there is to be no control plane', async () => {
    expect(await refused({ env: { BALANCER_ADMIN_ADDRESS: 'off' } })).toMatchObject({
      code: EXIT_USAGE,
      stderr: expect.stringContaining('BALANCER_ADMIN_ADDRESS=off needs a configuration file'),
    });
  });

  test('with a certificate that cannot be read', async () => {
    const { code, stderr } = await refused({
      env: { BALANCER_ADMIN_CERTIFICATE: '/none/a.pem', BALANCER_ADMIN_KEY: '/none/b.pem' },
    });
    expect(code).toBe(EXIT_USAGE);
    expect(stderr).toMatch(/BALANCER_ADMIN_CERTIFICATE: .*\/none\/a\.pem/);
  });
});

describe('with a file', () => {
  let file: string;
  let port: number;

  beforeEach(async () => {
    file = join(home.directory, 'balancer.yaml');
    port = await freePort();
    write([{ label: 'echo', address: node.address }]);
  });

  function write(nodes: readonly object[]): void {
    writeFileSync(
      file,
      stringify({ nodebalancers: [{ label: 'filed', ipv4: '127.0.0.1', configs: [{ port, nodes }] }] }),
    );
  }

  test('the API shows the file, changes nothing, and says why', async () => {
    const balancer = await start({ args: ['-f', file] });
    const list = await balancer.ask('GET', '/v4/nodebalancers');
    expect(list).toMatchObject({ results: 1, data: [{ label: 'filed' }] });
    const [{ id }] = list.data as [{ id: number }];
    for (const [method, path, body] of [
      ['POST', '/v4/nodebalancers', { region: 'local', label: 'more' }],
      ['PUT', `/v4/nodebalancers/${id}`, { label: 'other' }],
      ['DELETE', `/v4/nodebalancers/${id}`, undefined],
    ] as const) {
      const refused = await balancer.request(method, path, body);
      expect(refused.status, method).toBe(403);
      expect(JSON.stringify(refused.body)).toContain(file);
    }
    expect(await (await stream(port)).finish()).toBeUndefined();
  });

  test('metrics say whether the file was taken when it was read again', async () => {
    const balancer = await start({ args: ['-f', file] });
    const success = async () => {
      const text = await (await fetch(`${balancer.url}/metrics`)).text();
      return /^balancer_config_last_reload_success (\d)$/m.exec(text)?.[1];
    };
    expect(await success()).toBe('1');
    const good = readFileSync(file);
    writeFileSync(file, 'nodebalancers: none\n');
    balancer.program.signal('SIGHUP');
    await eventually('the refusal to show', async () => (await success()) === '0');
    writeFileSync(file, good);
    balancer.program.signal('SIGHUP');
    await eventually('the success to show', async () => (await success()) === '1');
  });

  test('after a HUP the API shows the new file, with the old ids', async () => {
    const balancer = await start({ args: ['-f', file] });
    const before = (await balancer.ask('GET', '/v4/nodebalancers')).data as [{ id: number }];
    const configs = `/v4/nodebalancers/${before[0].id}/configs`;
    const [config] = (await balancer.ask('GET', configs)).data as [{ id: number }];
    write([
      { label: 'echo', address: node.address },
      { label: 'second', address: '127.0.0.1:9' },
    ]);
    balancer.program.signal('SIGHUP');
    await balancer.program.waitForOutput(/SIGHUP: .* applied, 1 change/);
    await eventually('both nodes', async () => {
      const nodes = await balancer.ask('GET', `${configs}/${config.id}/nodes`);
      return nodes.results === 2;
    });
  });

  test('an API that cannot listen is a warning, and clients are served; it listens as soon as it can', async () => {
    const taken = await freePort();
    const thief = await listen(taken);
    const balancer = await start({
      args: ['-f', file],
      env: { BALANCER_ADMIN_ADDRESS: `127.0.0.1:${taken}`, ...paced({ apiRetryMs: 100 }) },
    });
    expect(balancer.program.stderr).toMatch(new RegExp(`warn .*cannot listen on 127\\.0\\.0\\.1:${taken} `));
    expect(await (await stream(port)).finish()).toBeUndefined();
    thief.close();
    await balancer.program.waitForOutput(/the API listens on .* now/);
    expect((await fetch(`http://127.0.0.1:${taken}/readyz`)).status).toBe(200);
  });

  test('a store that another process has is a warning, and clients are served', async () => {
    await start();
    const beside = await start({
      args: ['-f', file],
      env: { BALANCER_ADMIN_ADDRESS: `127.0.0.1:${await freePort()}` },
    });
    expect(beside.program.stderr).toMatch(/warn .*there is no control plane: .*balancer\.db/);
    expect(await (await stream(port)).finish()).toBeUndefined();
  });

  test('off: no API, no store, no token', async () => {
    const balancer = await start({ args: ['-f', file], env: { BALANCER_ADMIN_ADDRESS: 'off' } });
    expect(balancer.token).toBe('');
    expect(existsSync(join(home.dataDir, 'balancer.db'))).toBe(false);
    expect(existsSync(join(home.dataDir, 'control.sock'))).toBe(false);
    expect(await (await stream(port)).finish()).toBeUndefined();
  });
});

async function listen(port: number): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, LOOPBACK_IPV4, resolve);
  });
  return server;
}
