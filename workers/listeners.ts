// The listening sockets of the process: per address and port one socket for each shard. Sockets belong to the process, not to a
// thread: closing one resets what is queued on it, so it outlives the shard that accepts from it, and is closed only after every
// shard has let go. New ones are bound before old ones are closed.

import { describeErrno, EACCES, EADDRINUSE, EADDRNOTAVAIL, ENFILE, ENOBUFS, ENOMEM } from '../core/base/errno.ts';
import { formatEndpoint, formatIp, isIpv4, isWildcard } from '../core/base/ip.ts';
import { closeListener, hideListener, openListeners } from '../core/linux/listen.ts';
import { isHeldByUs, portHolder } from '../core/linux/port-holder.ts';

export interface Address {
  /** 16 bytes */
  ip: Uint8Array;
  port: number;
}

export interface ListenerSettings {
  shards: number;
  backlog: number;
  keepaliveSeconds: number;
  congestion: string | undefined;
  /** addresses, in their canonical form, that the machine need not have when they are opened */
  floating?: ReadonlySet<string>;
}

/** An address that cannot be listened on, as a sentence that names it. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  /** the first of them */
  readonly address: Address;
  /** whether all that stands in the way may go by itself: an address that is not there yet, a port that somebody has */
  readonly isTemporary: boolean;

  constructor(message: string, address: Address, isTemporary: boolean) {
    super(message);
    this.address = address;
    this.isTemporary = isTemporary;
  }
}

/** Why an address cannot be listened on. */
interface Problem {
  readonly address: Address;
  readonly text: string;
  readonly isTemporary: boolean;
}

/** An address comes with DHCP, VRRP or the end of IPv6's duplicate address detection; a port is free when its holder ends. */
const TEMPORARY: ReadonlySet<number> = new Set([EADDRINUSE, EADDRNOTAVAIL, ENFILE, ENOBUFS, ENOMEM]);

/** Who has a port that the API wants. @returns `nginx (pid 812)`, or undefined when nobody could be named */
export function holderOf(port: number): string | undefined {
  return isHeldByUs(port, []) ? 'this balancer itself, for the configuration' : portHolder(port);
}

interface ListenerSet {
  readonly address: Address;
  /** one for each shard */
  readonly fds: readonly number[];
}

export class ListenerSockets {
  readonly #settings: ListenerSettings;
  /** by address text */
  readonly #open = new Map<string, ListenerSet>();
  /** those that take no new clients any more, and that shards may still accept from */
  #hidden: ListenerSet[] = [];

  constructor(settings: ListenerSettings) {
    this.#settings = settings;
  }

  get count(): number {
    return (this.#open.size + this.#hidden.length) * this.#settings.shards;
  }

  /**
   * Opens what is missing of `addresses`. All or nothing: when one fails, those opened by this call are closed again.
   * @throws ListenError naming every address that failed
   */
  open(addresses: readonly Address[]): void {
    const present = [...this.#open.values(), ...this.#hidden].map(({ address }) => address);
    const opened: string[] = [];
    const problems: Problem[] = [];
    for (const address of addresses) {
      const key = keyOf(address);
      if (this.#open.has(key)) continue;
      const result = openListeners({
        ip: address.ip,
        port: address.port,
        sockets: this.#settings.shards,
        backlog: this.#settings.backlog,
        besideOurOwn: present.some((other) => overlaps(address, other)),
        keepaliveSeconds: this.#settings.keepaliveSeconds,
        congestion: this.#settings.congestion,
        freeBind: this.#settings.floating?.has(formatIp(address.ip, 0)) === true,
      });
      if ('fds' in result) {
        this.#open.set(key, { address, fds: result.fds });
        opened.push(key);
      } else {
        problems.push(this.#problemOf(address, result.call, result.errno));
      }
    }
    const [first] = problems;
    if (first === undefined) return;
    for (const key of opened) this.#close(key);
    throw new ListenError(
      problems.map(({ text }) => text).join('\n'),
      first.address,
      problems.every(({ isTemporary }) => isTemporary),
    );
  }

  /** Lets no new handshake begin at an address that is not in `addresses`; what is in the backlog stays. */
  hideOthers(addresses: readonly Address[]): void {
    for (const [key, set] of this.#others(addresses)) {
      for (const fd of set.fds) hideListener(fd);
      // Not among the open ones: whoever wants the address again while they are not closed needs new sockets.
      this.#open.delete(key);
      this.#hidden.push(set);
    }
  }

  /** Closes every address that is not in `addresses`. The caller has made sure that no shard accepts from it any more. */
  closeOthers(addresses: readonly Address[]): void {
    for (const [key] of this.#others(addresses)) this.#close(key);
    for (const { fds } of this.#hidden) for (const fd of fds) closeListener(fd);
    this.#hidden = [];
  }

  #problemOf(address: Address, call: string, errno: number): Problem {
    const where = `cannot listen on ${keyOf(address)}`;
    const own = [...this.#open.values(), ...this.#hidden].flatMap(({ fds }) => fds);
    // What is not among the listeners, and ours, we go on holding.
    if (errno === EADDRINUSE && isHeldByUs(address.port, own)) {
      const text = `${where}: this balancer's own API has the port (BALANCER_ADMIN_ADDRESS)`;
      return { address, text, isTemporary: false };
    }
    const holder = errno === EADDRINUSE ? portHolder(address.port, own) : undefined;
    const text = `${where}: ${reasonOf(call, errno, this.#settings.congestion, holder)}`;
    return { address, text, isTemporary: call !== 'setsockopt' && TEMPORARY.has(errno) };
  }

  #others(addresses: readonly Address[]): [string, ListenerSet][] {
    const keep = new Set(addresses.map(keyOf));
    return [...this.#open].filter(([key]) => !keep.has(key));
  }

  /** The descriptor that a shard accepts from. */
  fdOf(address: Address, shard: number): number {
    return this.#open.get(keyOf(address))?.fds[shard] ?? -1;
  }

  #close(key: string): void {
    const fds = this.#open.get(key)?.fds ?? [];
    this.#open.delete(key);
    for (const fd of fds) closeListener(fd);
  }
}

/** Whether Linux would refuse to bind one beside the other: the same port of the same family, and the same or every address. */
function overlaps(a: Address, b: Address): boolean {
  if (a.port !== b.port || isIpv4(a.ip, 0) !== isIpv4(b.ip, 0)) return false;
  return isWildcard(a.ip) || isWildcard(b.ip) || keyOf(a) === keyOf(b);
}

function keyOf(address: Address): string {
  return formatEndpoint(formatIp(address.ip, 0), address.port);
}

function reasonOf(call: string, errno: number, congestion: string | undefined, holder: string | undefined): string {
  if (call === 'setsockopt') return `congestion control "${congestion}" is not available (${describeErrno(errno)})`;
  if (errno === EADDRINUSE) return `the port is in use${holder === undefined ? '' : ` by ${holder}`}`;
  if (errno === EACCES) return 'no permission (ports below 1024 need root or the capability CAP_NET_BIND_SERVICE)';
  if (errno === EADDRNOTAVAIL) return 'this machine does not have that address';
  return describeErrno(errno);
}
