// Where a node leads whose address is this balancer's own: to one of its ports, or to its API. A port whose nodes lead back to it,
// over however many ports, is a circle: the first client makes the balancer connect to itself until no session is left. Values
// in, values out: which addresses the machine has is told from outside, and names are looked up elsewhere.

import { formatIp, isIpv4, isLoopback, isWildcard, parseIp, sharesPrefix } from '../base/ip.ts';

/** What is known of this machine, and of the balancer besides its ports. */
export interface OwnAddresses {
  /** what leads to this machine besides 127.0.0.0/8 and ::1: addresses, and networks such as 10.0.0.0/24 */
  readonly local: readonly string[];
  /** where the API listens; undefined: nowhere, or nobody knows */
  readonly api: { readonly ip: string; readonly port: number } | undefined;
}

/** For a configuration that is looked at without a machine. */
export const UNKNOWN_MACHINE: OwnAddresses = { local: [], api: undefined };

/** A port of this balancer: what it is called, and where it listens. */
export interface OwnPort {
  /** `web port 80` */
  readonly name: string;
  readonly ips: readonly Uint8Array[];
  readonly port: number;
}

/** Where a node's address leads. Numbers are indexes of ports. */
export type Way =
  | { readonly kind: 'elsewhere' }
  | { readonly kind: 'api' }
  | { readonly kind: 'port'; readonly to: number }
  /** from the port itself over others back to it: first and last are the same */
  | { readonly kind: 'circle'; readonly over: readonly number[] };

const ELSEWHERE: Way = { kind: 'elsewhere' };
const API: Way = { kind: 'api' };

/** Ports that a message names of one circle. */
const NAMED_MAX = 6;

interface Network {
  readonly ip: Uint8Array;
  readonly bits: number;
}

/** The ways between the ports of one configuration. They are taken one after the other, and the one that would close a circle is not. */
export class Ways {
  readonly #ports: readonly OwnPort[];
  readonly #byNumber = new Map<number, number[]>();
  /** by port: where its nodes lead, each once */
  readonly #to: number[][];
  readonly #local: ReadonlySet<string>;
  readonly #networks: readonly Network[];
  readonly #api: OwnPort | undefined;

  constructor(ports: readonly OwnPort[], { local, api }: OwnAddresses) {
    this.#ports = ports;
    this.#to = ports.map(() => []);
    for (const [index, { port }] of ports.entries()) {
      const others = this.#byNumber.get(port);
      if (others === undefined) this.#byNumber.set(port, [index]);
      else others.push(index);
    }
    this.#local = new Set(local.flatMap((text) => parseIp(text) ?? []).map((ip) => formatIp(ip, 0)));
    this.#networks = local.flatMap(readNetwork);
    const apiIp = api === undefined ? undefined : parseIp(api.ip);
    if (api !== undefined && apiIp !== undefined) this.#api = { name: 'the API', ips: [apiIp], port: api.port };
  }

  /** @param from index of the node's own port @returns where its address leads; a circle counts the ways taken so far */
  look(from: number, ip: Uint8Array, port: number): Way {
    if (this.#api !== undefined && this.#takes(this.#api, ip, port)) return API;
    const to = this.#byNumber.get(port)?.find((index) => this.#takes(this.#ports[index], ip, port));
    if (to === undefined) return ELSEWHERE;
    if (this.#to[from]?.includes(to)) return { kind: 'port', to };
    const back = this.#path(to, from);
    return back === undefined ? { kind: 'port', to } : { kind: 'circle', over: [from, ...back] };
  }

  /** The same, and the way is kept if it leads to another port. */
  take(from: number, ip: Uint8Array, port: number): Way {
    const way = this.look(from, ip, port);
    const ways = this.#to[from];
    if (way.kind === 'port' && ways?.includes(way.to) === false) ways.push(way.to);
    return way;
  }

  /** @returns what an address is, for people: `web port 80 of this balancer` */
  describe(way: Way): string {
    if (way.kind === 'api') return "the address of this balancer's API";
    if (way.kind === 'port') return `${this.#nameOf(way.to)} of this balancer`;
    if (way.kind === 'elsewhere') return 'no address of this balancer';
    return `a circle: ${shorten(way.over.map((index) => this.#nameOf(index))).join(' -> ')}`;
  }

  #nameOf(index: number): string {
    return this.#ports[index]?.name ?? '';
  }

  /** Whether who connects there is accepted by this port. Families never meet: an IPv6 listener takes IPv6 only. */
  #takes(own: OwnPort | undefined, ip: Uint8Array, port: number): boolean {
    if (own === undefined || own.port !== port) return false;
    return own.ips.some((at) => {
      if (isIpv4(at, 0) !== isIpv4(ip, 0)) return false;
      return isWildcard(at) ? this.#isLocal(ip) : sharesPrefix(at, ip, 128);
    });
  }

  #isLocal(ip: Uint8Array): boolean {
    if (isLoopback(ip) || this.#local.has(formatIp(ip, 0))) return true;
    return this.#networks.some((network) => sharesPrefix(network.ip, ip, network.bits));
  }

  /** @returns the ports on a shortest way from one to another, both included; undefined when there is none */
  #path(from: number, to: number): number[] | undefined {
    // By port: one more than that from which it was reached. A file may have thousands of ways for each of thousands of nodes.
    const cameFrom = new Int32Array(this.#ports.length);
    cameFrom[from] = from + 1;
    const reached = [from];
    for (const at of reached) {
      if (at === to) return backwards(cameFrom, from, to);
      for (const next of this.#to[at] ?? []) {
        if (cameFrom[next] !== 0) continue;
        cameFrom[next] = at + 1;
        reached.push(next);
      }
    }
    return undefined;
  }
}

function backwards(cameFrom: Int32Array, from: number, to: number): number[] {
  const path = [to];
  for (let at = to; at !== from; ) {
    at = (cameFrom[at] ?? 0) - 1;
    path.push(at);
  }
  return path.reverse();
}

function readNetwork(text: string): Network[] {
  const [address = '', bits] = text.split('/');
  const ip = bits === undefined ? undefined : parseIp(address);
  return ip === undefined ? [] : [{ ip, bits: Number(bits) + (isIpv4(ip, 0) ? 96 : 0) }];
}

function shorten(names: readonly string[]): readonly string[] {
  const left = names.length - NAMED_MAX;
  return left <= 1 ? names : [...names.slice(0, NAMED_MAX - 1), `${left} more`, ...names.slice(-1)];
}
