// Servers that people really run, behind the balancer, killed and started again under load: no client that comes after a node's death
// fails, the node is known as dead after as many checks as it may miss, and comes back by itself. How soon that is:
// tests/clock/pool/node-down.test.ts.

import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { EJECTION_MS } from '../../../core/health/ejection.ts';
import { type Balancer, onePort } from '../../../testing/balancer.ts';
import { freePorts, hostPort, LOOPBACK_IPV4 } from '../../../testing/ports.ts';
import { type Program, startProgram } from '../../../testing/process.ts';
import * as mariadb from '../../../testing/servers/mariadb.ts';
import * as nginx from '../../../testing/servers/nginx.ts';
import { bodyOf } from '../../../testing/servers/report.ts';
import { listens } from '../../../testing/sockets.ts';
import type { NodeSnapshot, Snapshot } from '../../../workers/snapshot.ts';
import { startPool } from './scene.ts';
import { statusOf } from './status.ts';

const CHECK_SECONDS = 2;
const CHECK_ATTEMPTS = 2;
const CHECK = { check_interval: CHECK_SECONDS, check_timeout: 1, check_attempts: CHECK_ATTEMPTS } as const;
const CONNECTION_EVERY_MS = 4;
const ANSWER_MS_MAX = 20_000;
const TEST_MS_MAX = 120_000;

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** One connection of the load: when it was begun, and the label of the node that answered, or how it failed. */
interface Answer {
  readonly port: number;
  readonly beganMs: number;
  readonly by: string;
}

/** A connection and an HTTP request every few milliseconds, to each port in turn. */
class Load {
  readonly answers: Answer[] = [];
  readonly #ports: readonly number[];
  readonly #underWay = new Set<Promise<void>>();
  readonly #timer: NodeJS.Timeout;
  #begun = 0;

  constructor(ports: readonly number[]) {
    this.#ports = ports;
    this.#timer = setInterval(() => this.#begin(), CONNECTION_EVERY_MS);
  }

  /** Of connections to that port begun later than that. */
  after(port: number, beganMs: number): Answer[] {
    return this.answers.filter((answer) => answer.port === port && answer.beganMs > beganMs);
  }

  /** Resolves when the last connection has been answered. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#underWay);
  }

  #begin(): void {
    const port = this.#ports[this.#begun++ % this.#ports.length] ?? 0;
    const beganMs = performance.now();
    const request = whoAnswers(port).then((by) => {
      this.answers.push({ port, beganMs, by });
      this.#underWay.delete(request);
    });
    this.#underWay.add(request);
  }
}

/** @returns the label that the node answered, or the word for what happened instead */
function whoAnswers(port: number): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(port, LOOPBACK_IPV4, () => socket.write('GET / HTTP/1.0\r\n\r\n'));
    socket.setTimeout(ANSWER_MS_MAX, () => {
      resolve('silence');
      socket.destroy();
    });
    socket.on('data', (bytes) => (text += bytes.toString('latin1')));
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.once('end', () => resolve(text === '' ? 'nothing' : bodyOf(text).trim()));
  });
}

/** Of the frontend at that port. */
function nodeIn({ frontends }: Snapshot, port: number, label: string): NodeSnapshot {
  const found = frontends.find((frontend) => frontend.port === port)?.nodes.find((node) => node.label === label);
  if (found === undefined) throw new Error(`no node ${label} at port ${port}`);
  return found;
}

async function untilHealth(balancer: Balancer, ports: readonly number[], label: string, health: string) {
  let snapshot: Snapshot | undefined;
  await balancer.program.waitUntil(`${label} to be ${health}`, async () => {
    snapshot = await statusOf(balancer);
    return ports.every((port) => snapshot !== undefined && nodeIn(snapshot, port, label).health === health);
  });
  if (snapshot === undefined) throw new Error('unreachable: the wait ended without a snapshot');
  return snapshot;
}

describe.skipIf(!nginx.available())(`nginx${nginx.available() ? '' : ` (skipped: ${nginx.missing})`}`, () => {
  const LABELS = ['nginx-1', 'nginx-2', 'nginx-3'];
  const DYING = 'nginx-2';

  async function startNodes(): Promise<nginx.NginxNode[]> {
    return Promise.all(
      LABELS.map(async (label) => {
        const node = await nginx.NginxNode.start(label);
        closers.push(() => node.stop());
        return node;
      }),
    );
  }

  test('a node that is killed under load costs no new client anything, and returns', {
    timeout: TEST_MS_MAX,
  }, async () => {
    const nodes = await startNodes();
    const dying = nodes.find(({ label }) => label === DYING);
    const ports = await freePorts(2);
    const [passive = 0, activeOnly = 0] = ports;
    const common = {
      proxy_protocol: 'v2',
      check: 'http',
      check_path: '/',
      ...CHECK,
      nodes: nodes.map(({ label, address }) => ({ label, address })),
    } as const;
    const configs = [
      { ...common, port: passive },
      { ...common, port: activeOnly, check_passive: false },
    ];
    const balancer = await startPool({ nodebalancers: [{ label: 'test', ipv4: LOOPBACK_IPV4, configs }] });
    closers.push(() => balancer.stop());
    for (const label of LABELS) await untilHealth(balancer, ports, label, 'up');
    const load = new Load(ports);
    closers.push(() => load.stop());
    const answersAfter = (beganMs: number, what: string, enough: (answers: Answer[]) => boolean) =>
      balancer.program.waitUntil(what, () => ports.every((port) => enough(load.after(port, beganMs))), TEST_MS_MAX);
    const hasAll = (answers: Answer[]) => LABELS.every((label) => answers.some(({ by }) => by === label));
    await answersAfter(0, 'an answer of every node', hasAll);

    await dying?.kill();
    const deadMs = performance.now();
    const atDown = await untilHealth(balancer, ports, DYING, 'down');
    for (const port of ports) {
      expect(nodeIn(atDown, port, DYING).connect_failures).toBeGreaterThan(0);
    }
    // Beyond the time at which an ejection alone would let a session try the node.
    const pastTrialMs = Math.max(performance.now(), deadMs + EJECTION_MS + 1000);
    await answersAfter(pastTrialMs, 'a hundred more clients', ({ length }) => length >= 100);
    const later = await statusOf(balancer);
    for (const port of ports) {
      expect(nodeIn(later, port, DYING).connects).toBe(nodeIn(atDown, port, DYING).connects);
      expect(load.after(port, deadMs).some(({ by }) => by === DYING)).toBe(false);
    }

    const backMs = performance.now();
    await dying?.start();
    await untilHealth(balancer, ports, DYING, 'up');
    await answersAfter(backMs, 'an answer of the node that is back', (answers) =>
      answers.some(({ by }) => by === DYING),
    );
    const healthy = await statusOf(balancer);
    for (const port of ports) expect(nodeIn(healthy, port, DYING).is_ejected).toBe(false);
    await load.stop();

    // Whoever came while the node was dying may have met it; nobody who came later.
    const failed = load.answers.filter(({ beganMs, by }) => beganMs > deadMs && !LABELS.includes(by));
    expect(failed).toEqual([]);
    expect(load.after(passive, deadMs).length + load.after(activeOnly, deadMs).length).toBeGreaterThan(400);
    for (const { no_node } of (await statusOf(balancer)).frontends) expect(no_node).toBe(0);
    expectLog(balancer, passive, activeOnly);
  });

  function expectLog({ program: { output } }: Balancer, passive: number, activeOnly: number): void {
    const lines = (port: number) =>
      output.split('\n').filter((line) => line.includes(`${DYING} (`) && line.includes(`port ${port} `));
    const down = /is DOWN: 2 checks in a row failed, the last: connection refused after \d+ ms$/;
    const up = /is UP: it answers with status 200$/;
    for (const port of [passive, activeOnly]) {
      const known = lines(port).filter((line) => /is (UP|DOWN):/.test(line));
      expect(known).toEqual([expect.stringMatching(up), expect.stringMatching(down), expect.stringMatching(up)]);
    }
    const met = lines(passive).filter((line) => /is (out|back)|stays out/.test(line));
    expect(met).toEqual([
      expect.stringMatching(/is out for 5 s: sessions could not connect to it: .*connection refused/),
      expect.stringMatching(/is back: a session connected to it again$/),
    ]);
    expect(lines(activeOnly).filter((line) => /is (out|back)|stays out/.test(line))).toEqual([]);
  }
});

describe.skipIf(!mariadb.available())(`MariaDB${mariadb.available() ? '' : ` (skipped: ${mariadb.missing})`}`, () => {
  /** As an init system would: the same command line, and a host would be blocked by its first error. */
  async function startAgain(commandLine: readonly string[], port: number): Promise<Program> {
    const [command = '', ...args] = commandLine;
    const program = await startProgram({
      name: 'mariadbd, again',
      command,
      args: [...args, '--max-connect-errors=1'],
      unprivileged: true,
    });
    closers.push(() => program.stop());
    await program.waitUntil(`mariadbd to listen on ${port}`, () => listens(program.pid, port), TEST_MS_MAX);
    return program;
  }

  async function whoAmI(port: number): Promise<string> {
    const session = await mariadb.openMariadbSession(LOOPBACK_IPV4, port);
    try {
      return await session.query('SELECT USER()');
    } finally {
      await session.close();
    }
  }

  /** What the server itself counts as errors of those who connect. Aborted_connects is not among them: it counts every check. */
  async function connectionErrors(port: number): Promise<string> {
    const session = await mariadb.openMariadbSession(LOOPBACK_IPV4, port);
    try {
      return await session.query(
        "SELECT IFNULL(GROUP_CONCAT(VARIABLE_NAME), 'none') FROM information_schema.GLOBAL_STATUS " +
          "WHERE VARIABLE_NAME LIKE 'CONNECTION_ERRORS%' AND VARIABLE_VALUE > 0",
      );
    } finally {
      await session.close();
    }
  }

  test("is killed and comes back on its data; checks count as nobody's errors", { timeout: TEST_MS_MAX }, async () => {
    const server = await mariadb.startMariadb();
    closers.push(() => server.stop());
    const [port = 0, deadPort = 0] = await freePorts(2);
    const nodes = [
      { label: 'real', address: hostPort(LOOPBACK_IPV4, server.port) },
      { label: 'dead', address: hostPort(LOOPBACK_IPV4, deadPort) },
    ];
    const balancer = await startPool(onePort({ port, proxy_protocol: 'v2', check: 'connection', ...CHECK, nodes }));
    closers.push(() => balancer.stop());
    await untilHealth(balancer, [port], 'real', 'up');
    for (let i = 0; i < 4; i++) expect(await whoAmI(port)).toBe('tester@127.0.0.1');
    await untilHealth(balancer, [port], 'dead', 'down');

    const commandLine = readFileSync(`/proc/${server.program.pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
    server.program.signal('SIGKILL');
    await server.program.exit;
    await untilHealth(balancer, [port], 'real', 'down');
    const again = await startAgain(commandLine, server.port);
    const atReturn = await untilHealth(balancer, [port], 'real', 'up');
    expect(await whoAmI(port)).toBe('tester@127.0.0.1');

    const { total, failed } = nodeIn(atReturn, port, 'real').check;
    await balancer.program.waitUntil(
      'more checks',
      async () => nodeIn(await statusOf(balancer), port, 'real').check.total >= total + 2,
    );
    expect(nodeIn(await statusOf(balancer), port, 'real').check.failed).toBe(failed);
    expect(await connectionErrors(port)).toBe('none');
    expect(again.output).not.toMatch(/PROXY|is blocked/i);
    const lines = balancer.program.output.split('\n').filter((line) => /node (real|dead) .* is (UP|DOWN)/.test(line));
    expect(lines.filter((line) => line.includes('node real'))).toEqual([
      expect.stringMatching(/is UP: it takes connections$/),
      expect.stringMatching(/is DOWN: 2 checks in a row failed, the last: connection refused after \d+ ms$/),
      expect.stringMatching(/is UP: it takes connections$/),
    ]);
    expect(lines.filter((line) => line.includes('node dead'))).toEqual([
      expect.stringMatching(/is DOWN: 2 checks in a row failed, the last: connection refused/),
    ]);
  });
});
