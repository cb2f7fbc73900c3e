// Everything of a run but the code under test: the kernel, its listeners, the nodes and clients of a scenario, the ledger.

import { ECONNREFUSED } from '../../core/base/errno.ts';
import type { SocketOption } from '../../core/linux/kernel.ts';
import { type HeaderCheck, Ledger } from './ledger.ts';
import { type Address, addressOf, type ConnectPlan } from './network.ts';
import { type PeerStep, SimPeer } from './peer.ts';
import { Random } from './random.ts';
import { connectsAt, type NodeSpec, randomLimits, type Scenario } from './scenario.ts';
import { nodeScript } from './scripts.ts';
import { SimKernel } from './sim-kernel.ts';
import { TcpEnd } from './tcp-end.ts';

export interface WorldOptions {
  readonly arenaBytes?: number;
  /** Makes the check of a new node connection; without it nodes expect no header. */
  headerCheck?(scenario: Scenario): HeaderCheck | undefined;
  /** Options that listeners lend to what they accept. */
  readonly listenerOptions?: ReadonlyMap<SocketOption, number>;
}

export class World {
  readonly scenario: Scenario;
  readonly kernel: SimKernel;
  readonly ledger = new Ledger();
  /** Listening descriptors in the order of the scenario's listeners. */
  readonly listenerFds: readonly number[];
  readonly #options: WorldOptions;
  readonly #random: Random;
  readonly #startMs: number;
  #clientsToStart: number;

  constructor(scenario: Scenario, options: WorldOptions = {}) {
    this.scenario = scenario;
    this.#options = options;
    this.#random = new Random(scenario.seed ^ 0x7777_7777);
    const forLimits = this.#random.fork();
    this.kernel = new SimKernel({
      random: this.#random.fork(),
      faults: scenario.faults,
      limits: () => randomLimits(forLimits, scenario),
      ...(options.arenaBytes === undefined ? {} : { arenaBytes: options.arenaBytes }),
    });
    this.#startMs = this.kernel.clock.nowMs;
    this.listenerFds = scenario.listeners.map(({ address, backlog }) =>
      this.kernel.lendListener(address, backlog, options.listenerOptions),
    );
    for (const node of scenario.nodes) this.#addNode(node);
    this.#clientsToStart = scenario.clients.length;
    for (const [i, client] of scenario.clients.entries()) {
      this.kernel.clock.after(client.startMs, () => this.#startClient(i));
    }
  }

  get peers(): SimPeer[] {
    return [...this.ledger.clients, ...this.ledger.nodePeers];
  }

  /** Every client came, and every script is over. */
  get finished(): boolean {
    return this.#clientsToStart === 0 && this.peers.every((peer) => peer.finished);
  }

  #startClient(index: number): void {
    const spec = this.scenario.clients[index];
    const listenFd = this.listenerFds[spec?.listener ?? -1];
    if (spec === undefined || listenFd === undefined) return;
    this.#clientsToStart--;
    const { network } = this.kernel;
    const end = new TcpEnd(network.wire, randomLimits(this.#random, this.scenario));
    const listener = this.kernel.listenerAt(listenFd);
    const to = reachable(listener.address);
    network.connectTo(listener, end, spec.from, to, randomLimits(this.#random, this.scenario));
    const id = this.ledger.nextClientId();
    this.ledger.addClient(this.#peer(`client ${id}`, 'client', end, id, spec.script, undefined));
  }

  #addNode(spec: NodeSpec): void {
    const random = this.#random.fork();
    this.kernel.network.addNode(spec.address, () => this.#connectPlan(spec, random));
  }

  #connectPlan(spec: NodeSpec, random: Random): ConnectPlan {
    const afterMs = random.chance(spec.atOnceChance) ? 0 : random.between(0.01, spec.connectMsMax);
    const connects = connectsAt(spec, this.kernel.clock.nowMs - this.#startMs);
    if (connects === 'black-hole') return { outcome: 'black-hole' };
    if (connects === 'refuse') return { outcome: 'fail', afterMs, errno: spec.failErrno || ECONNREFUSED };
    if (random.chance(spec.blackHoleChance)) return { outcome: 'black-hole' };
    if (random.chance(spec.selfChance)) return { outcome: 'self', afterMs };
    if (random.chance(spec.failChance)) return { outcome: 'fail', afterMs, errno: spec.failErrno || ECONNREFUSED };
    return {
      outcome: 'accept',
      afterMs,
      limits: randomLimits(random, this.scenario),
      onAccept: (end) => this.#acceptAtNode(end, spec, random),
    };
  }

  #acceptAtNode(end: TcpEnd, spec: NodeSpec, random: Random): void {
    const troubled = random.chance(spec.troubleChance);
    const id = this.ledger.nextNodeId();
    const script = spec.script ?? nodeScript(random, this.scenario.conversation, troubled);
    const name = `node connection ${this.ledger.nodePeers.length + 1}`;
    const header = this.#options.headerCheck?.(this.scenario);
    this.ledger.addNodePeer(this.#peer(name, 'node', end, id, script, header));
  }

  #peer(
    name: string,
    side: 'client' | 'node',
    end: TcpEnd,
    streamId: number,
    script: readonly PeerStep[],
    header: HeaderCheck | undefined,
  ): SimPeer {
    const { ledger, scenario } = this;
    const { clock } = this.kernel;
    const random = this.#random.fork();
    const { reactionMsMax } = scenario;
    return new SimPeer({ name, side, end, clock, random, ledger, streamId, script, header, reactionMsMax });
  }
}

/** Where a client connects to: a listener on every address is reached at one of them. */
function reachable(address: Address): Address {
  if (address.ip.some((byte, i) => byte !== 0 && !(byte === 0xff && (i === 10 || i === 11)))) return address;
  const isV4 = address.ip[10] === 0xff;
  return isV4 ? addressOf('198.51.100.1', address.port) : addressOf('2001:db8:ffff::1', address.port);
}
