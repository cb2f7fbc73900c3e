// The listening sockets of the process: per address and port one socket for each shard. Sockets belong to the process, not to a
// thread: closing one resets what is queued on it, so it outlives the shard that accepts from it, and is closed only after every
// shard has let go. New ones are bound before old ones are closed.

import { describeErrno, EACCES, EADDRINUSE, EADDRNOTAVAIL } from '../core/base/errno.ts';
import { formatEndpoint, formatIp } from '../core/base/ip.ts';
import { closeListener, openListeners } from '../core/linux/listen.ts';
import { portHolder } from '../core/linux/port-holder.ts';

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
}

/** An address that cannot be listened on, as a sentence that names it. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
}

export class ListenerSockets {
  readonly #settings: ListenerSettings;
  /** address text -> one descriptor per shard */
  readonly #open = new Map<string, number[]>();

  constructor(settings: ListenerSettings) {
    this.#settings = settings;
  }

  get count(): number {
    return this.#open.size * this.#settings.shards;
  }

  /**
   * Opens what is missing of `addresses`. All or nothing: when one fails, those opened by this call are closed again.
   * @throws ListenError naming every address that failed
   */
  open(addresses: readonly Address[]): void {
    const opened: string[] = [];
    const problems: string[] = [];
    for (const address of addresses) {
      const key = keyOf(address);
      if (this.#open.has(key)) continue;
      const result = openListeners({
        ip: address.ip,
        port: address.port,
        sockets: this.#settings.shards,
        backlog: this.#settings.backlog,
        besideOurOwn: this.#hasPort(address.port),
        keepaliveSeconds: this.#settings.keepaliveSeconds,
        congestion: this.#settings.congestion,
      });
      if ('fds' in result) {
        this.#open.set(key, result.fds);
        opened.push(key);
      } else {
        problems.push(describeFailure(address, result.call, result.errno, this.#settings.congestion));
      }
    }
    if (problems.length === 0) return;
    for (const key of opened) this.#close(key);
    throw new ListenError(problems.join('\n'));
  }

  /** Closes every address that is not in `addresses`. The caller has made sure that no shard accepts from it any more. */
  closeOthers(addresses: readonly Address[]): void {
    const keep = new Set(addresses.map(keyOf));
    for (const key of [...this.#open.keys()]) if (!keep.has(key)) this.#close(key);
  }

  /** The descriptor that a shard accepts from. */
  fdOf(address: Address, shard: number): number {
    return this.#open.get(keyOf(address))?.[shard] ?? -1;
  }

  #hasPort(port: number): boolean {
    return [...this.#open.keys()].some((key) => key.endsWith(`:${port}`));
  }

  #close(key: string): void {
    const fds = this.#open.get(key) ?? [];
    this.#open.delete(key);
    for (const fd of fds) closeListener(fd);
  }
}

function keyOf(address: Address): string {
  return formatEndpoint(formatIp(address.ip, 0), address.port);
}

function describeFailure(address: Address, call: string, errno: number, congestion: string | undefined): string {
  const where = `cannot listen on ${keyOf(address)}`;
  if (call === 'setsockopt')
    return `${where}: congestion control "${congestion}" is not available (${describeErrno(errno)})`;
  if (errno === EADDRINUSE) {
    const holder = portHolder(address.port);
    return `${where}: the port is in use${holder === undefined ? '' : ` by ${holder}`}`;
  }
  if (errno === EACCES) {
    return `${where}: no permission (ports below 1024 need root or the capability CAP_NET_BIND_SERVICE)`;
  }
  if (errno === EADDRNOTAVAIL) return `${where}: this machine does not have that address`;
  return `${where}: ${describeErrno(errno)}`;
}
