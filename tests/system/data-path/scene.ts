// What the data-path tests have in common: a balancer in front of nodes, the log line of a session's end, and byte streams
// that differ everywhere, so that a lost, doubled or moved byte shows. It scripts no peers.

import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type Balancer, onePort, startBalancer } from '../../../testing/balancer.ts';
import type { ConfigSpec, NodeSpec } from '../../../testing/balancer-spec.ts';
import { Peer, PeerListener } from '../../../testing/peer.ts';
import { freePort, hostPort, LOOPBACK_IPV4 } from '../../../testing/ports.ts';
import { connectRaw, type RawOptions, type RawSocket } from '../../../testing/raw-socket.ts';

/** In the balancer's own directory, where it starts. */
export const ACCESS_LOG = 'access.log';

/** The fields of an access log line that these tests look at. */
export interface Ended {
  client: string;
  node?: string;
  attempts: number;
  connect_ms: number | null;
  total_ms: number;
  bytes_from_client: number;
  bytes_to_client: number;
  bytes_from_node: number;
  bytes_to_node: number;
  bytes_spliced: number;
  header_bytes: number;
  outcome: string;
  errno?: string;
}

export interface SceneOptions {
  proxyProtocol?: ConfigSpec['proxy_protocol'];
  /** every two seconds; none unless told */
  check?: ConfigSpec['check'];
  env?: Readonly<Record<string, string>>;
  /** address to listen on; 127.0.0.1 unless told */
  ipv4?: string;
  /** ready-made nodes; without them the scene has one scripted node */
  nodes?: NodeSpec[];
  /** run as a user without rights where the tests run as root */
  unprivileged?: boolean;
}

/** One balancer with one port. */
export class Scene {
  readonly balancer: Balancer;
  readonly port: number;
  readonly #node: PeerListener | undefined;
  /** Node.js forgets the port of a socket that has ended. */
  readonly #ports = new WeakMap<Peer, number>();

  constructor(balancer: Balancer, port: number, node: PeerListener | undefined) {
    this.balancer = balancer;
    this.port = port;
    this.#node = node;
  }

  get node(): PeerListener {
    if (this.#node === undefined) throw new Error('this scene has nodes of its own');
    return this.#node;
  }

  async client(): Promise<Peer> {
    const client = await Peer.connect({ host: LOOPBACK_IPV4, port: this.port });
    this.#ports.set(client, client.local.port);
    return client;
  }

  rawClient(options?: RawOptions): Promise<RawSocket> {
    return connectRaw(LOOPBACK_IPV4, this.port, options);
  }

  /** A client, and what the node sees of it; the header, if there is one, is still to be read. */
  async pair(): Promise<{ client: Peer; back: Peer }> {
    const client = await this.client();
    return { client, back: await this.node.accept() };
  }

  /** What the log says of the session of this client (or client port), once it has ended. */
  async ended(client: Peer | number, deadlineMs?: number): Promise<Ended> {
    const port = typeof client === 'number' ? client : this.#ports.get(client);
    const find = () => this.allEnded().find((line) => line.client.endsWith(`:${port}`));
    await this.balancer.program.waitUntil(
      `the end of client ${port}'s session`,
      () => find() !== undefined,
      deadlineMs,
    );
    const line = find();
    if (line === undefined) throw new Error('unreachable: the wait ended without a line');
    return line;
  }

  /** Sessions that have ended so far. */
  allEnded(): Ended[] {
    return endedIn(this.balancer);
  }

  async close(): Promise<void> {
    await this.#node?.close();
    await this.balancer.stop();
  }
}

/** Sessions that have ended so far, of a balancer that logs to ACCESS_LOG. */
export function endedIn({ directory }: Balancer): Ended[] {
  const text = readFileSync(join(directory, ACCESS_LOG), 'utf8');
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  return whole
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

export async function openScene(options: SceneOptions = {}): Promise<Scene> {
  const port = await freePort();
  const node = options.nodes === undefined ? await PeerListener.listen(LOOPBACK_IPV4, await freePort()) : undefined;
  const nodes = options.nodes ?? [{ label: 'node-1', address: hostPort(LOOPBACK_IPV4, node?.port ?? 0) }];
  const config: ConfigSpec = {
    port,
    nodes,
    proxy_protocol: options.proxyProtocol ?? 'none',
    ...(options.check === undefined ? {} : { check: options.check, check_interval: 2, check_timeout: 1 }),
  };
  const balancer = await startBalancer(onePort(config, options.ipv4 === undefined ? {} : { ipv4: options.ipv4 }), {
    env: {
      BALANCER_WORKERS: '1',
      BALANCER_ACCESS_LOG: ACCESS_LOG,
      // Sessions that a test leaves open are cut at once when it ends.
      BALANCER_DRAIN_TIMEOUT_MS: '0',
      ...options.env,
    },
    ...(options.unprivileged === undefined ? {} : { unprivileged: options.unprivileged }),
  });
  return new Scene(balancer, port, node);
}

/** Bytes that follow from the seed alone, without a period (xorshift32). */
export function pattern(seed: number, length: number): Buffer {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = (seed * 0x9e3779b1) | 1;
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state;
  }
  return Buffer.from(words.buffer, 0, length);
}

/** Equal to the byte; on failure it says where they part instead of printing megabytes. */
export function expectSame(got: Buffer, wanted: Buffer): void {
  if (got.equals(wanted)) return;
  const length = Math.min(got.length, wanted.length);
  let at = 0;
  while (at < length && got[at] === wanted[at]) at++;
  expect.fail(`${got.length} bytes instead of ${wanted.length}, the first ${at} of them right`);
}

/** Somebody who sends small pieces, and knows whether it was ever silent for so long that a timeout may have spoken. */
export class SlowTalk {
  pauseMsMax = 0;
  readonly #peer: Peer;
  readonly #pieces: Buffer[] = [];
  #lastMs = performance.now();

  constructor(peer: Peer) {
    this.#peer = peer;
  }

  get sent(): Buffer {
    return Buffer.concat(this.#pieces);
  }

  async goOn(): Promise<void> {
    const piece = pattern(this.#pieces.length, 10);
    this.#pieces.push(piece);
    const nowMs = performance.now();
    this.pauseMsMax = Math.max(this.pauseMsMax, nowMs - this.#lastMs);
    this.#lastMs = nowMs;
    // Whether it arrives is seen at the other end.
    await this.#peer.send(piece).catch(() => {});
  }
}

/** Sends all of it through a raw socket, as fast as the other side takes it. */
export async function sendAll(socket: RawSocket, data: Uint8Array): Promise<void> {
  for (let at = 0; at < data.length; ) {
    const n = socket.send(data.subarray(at));
    if (n > 0) at += n;
    else await new Promise((resolve) => setImmediate(resolve));
  }
}
