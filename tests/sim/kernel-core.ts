// What all simulated system calls share: clock, descriptor table, arena, faults, violations. The calls themselves are in
// socket-calls.ts, pipe-calls.ts and sim-kernel.ts, each adding its part of the `Kernel` interface to this.
//
// Every call lets a little time pass first (`enter`), so that bytes, FINs and resets arrive between any two calls.

import { formatIp } from '../../core/base/ip.ts';
import { AF_INET, type Arena, createArena, SOCKADDR_BYTES } from '../../core/linux/kernel.ts';
import { readSockaddr, sockaddrFamily, writeSockaddr } from '../../core/linux/sockaddr.ts';
import { SimClock } from './clock.ts';
import { type Descriptor, DescriptorTable } from './descriptors.ts';
import { type Faults, NO_FAULTS } from './faults.ts';
import { type Address, addressOf, Network } from './network.ts';
import type { PipePages } from './pipe.ts';
import type { Random } from './random.ts';
import type { EndLimits } from './tcp-end.ts';
import { Wire } from './wire.ts';

/** struct sockaddr_in */
const IN_BYTES = 16;

export interface SimKernelOptions {
  readonly random: Random;
  readonly faults?: Faults;
  readonly arenaBytes?: number;
  /** Limits of a socket that the shard opens. */
  limits?(): EndLimits;
}

export const DEFAULT_LIMITS: EndLimits = {
  receiveLimit: 65_536,
  sendLimit: 65_536,
  delayMinMs: 0.01,
  delayMaxMs: 0.1,
  segmentMax: 16_384,
};

/** What one call takes, at most. */
export const CALL_MS = 0.02;
const PORT_FIRST = 32_768;
const PORT_LAST = 60_999;
/** The balancer's own addresses towards the nodes. */
const HOME4 = addressOf('10.0.0.1', 0);
const HOME6 = addressOf('fd00::1', 0);

export abstract class KernelCore {
  readonly arena: Arena;
  readonly clock = new SimClock();
  readonly network: Network;
  readonly violations: string[] = [];
  /** System calls made so far. */
  calls = 0;
  protected readonly table: DescriptorTable;
  protected readonly random: Random;
  protected readonly faults: Faults;
  protected readonly limits: () => EndLimits;
  protected readonly pages: PipePages;
  #nextPort = PORT_FIRST;

  constructor(options: SimKernelOptions) {
    this.random = options.random;
    this.faults = options.faults ?? NO_FAULTS;
    this.limits = options.limits ?? (() => DEFAULT_LIMITS);
    this.pages = { used: 0, softLimit: this.faults.pipePagesSoft };
    this.arena = createArena(new SharedArrayBuffer(options.arenaBytes ?? 1 << 20));
    this.network = new Network(new Wire(this.clock, options.random.fork()));
    this.table = new DescriptorTable(this.faults.descriptorsMax, (what) => this.violate(what));
  }

  nowMs(): number {
    return this.clock.nowMs;
  }

  violate(what: string): void {
    this.violations.push(`at ${this.clock.nowMs.toFixed(3)} ms: ${what}`);
  }

  protected enter(): void {
    this.calls++;
    this.passMoment(CALL_MS);
  }

  protected passMoment(msMax: number): void {
    this.clock.advanceTo(this.clock.nowMs + this.random.between(0, msMax));
  }

  /** The arena's memory that a call names; as much as is there, if the caller names too much. */
  protected span(at: number, bytes: number, call: string): Uint8Array {
    const whole = Number.isInteger(at) && Number.isInteger(bytes) && at >= 0 && bytes >= 0;
    if (!whole || at + bytes > this.arena.bytes.length) this.violate(`${call}: EFAULT, ${bytes} bytes at ${at}`);
    return this.arena.bytes.subarray(Math.max(0, at), Math.max(0, at + bytes));
  }

  protected writeAddress(addressAt: number, address: Address | undefined): void {
    this.span(addressAt, SOCKADDR_BYTES, 'sockaddr');
    const { ip, port } = address ?? addressOf('0.0.0.0', 0);
    // Linux writes as many bytes as the family has: behind a short address stays what a longer one has left there.
    const behind = this.arena.bytes.slice(addressAt + IN_BYTES, addressAt + SOCKADDR_BYTES);
    const family = writeSockaddr(this.arena, addressAt, ip, 0, port);
    if (family === AF_INET) this.arena.bytes.set(behind, addressAt + IN_BYTES);
  }

  protected readAddress(addressAt: number): Address {
    this.span(addressAt, sockaddrFamily(this.arena, addressAt) === AF_INET ? 16 : SOCKADDR_BYTES, 'sockaddr');
    const bytes = new Uint8Array(18);
    readSockaddr(this.arena, addressAt, bytes, 0, 16);
    return { ip: bytes.subarray(0, 16), port: ((bytes[16] ?? 0) << 8) | (bytes[17] ?? 0) };
  }

  /** The local address of a connect: what was bound, completed by the kernel. */
  protected completeLocal(bound: Address | undefined, target: Address): Address {
    const isV4 = formatIp(target.ip, 0).includes('.');
    const { ip, port } = bound ?? { ip: new Uint8Array(16), port: 0 };
    const text = formatIp(ip, 0);
    const unset = text === '::' || text === '0.0.0.0';
    const home = isV4 ? HOME4.ip : HOME6.ip;
    return { ip: unset ? home : ip, port: port === 0 ? this.#takePort() : port };
  }

  #takePort(): number {
    this.#nextPort = this.#nextPort === PORT_LAST ? PORT_FIRST : this.#nextPort + 1;
    return this.#nextPort;
  }

  /** The kernel's part of a close, once the number is free. */
  protected release(found: Descriptor | undefined): void {
    if (found === undefined) return;
    const { file } = found;
    if (file.kind === 'socket') {
      file.end.dropWatches();
      file.end.close();
    } else if (file.kind === 'listener') {
      file.listener.dropWatches();
      for (const end of file.listener.queue.splice(0)) {
        end.lingerZero = true;
        end.close();
      }
    } else if (file.kind === 'pipe') {
      file.pipe.closeEnd(file.side);
    } else if (file.kind === 'epoll') {
      file.epoll.close();
    } else {
      file.wake.dropWatches();
    }
  }
}
