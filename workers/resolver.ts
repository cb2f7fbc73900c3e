// Host names of nodes -> addresses, off the data path, looked up again and again. The last good address is kept when a look-up
// fails, and for as long as the name still has it: a name with several addresses does not hop between them.

import { lookup } from 'node:dns/promises';
import { parseIp } from '../core/base/ip.ts';
import type { Logger } from './logger.ts';

export const RESOLVE_INTERVAL_MS = 30_000;

/** A name server that does not answer counts as a failed look-up; the system's own patience is half a minute. */
const LOOKUP_TIMEOUT_MS = 5000;

export type LookupAll = (host: string) => Promise<readonly string[]>;

const systemLookup: LookupAll = async (host) => {
  const found = await lookup(host, { all: true, order: 'ipv4first' });
  return found.map(({ address }) => address);
};

export class Resolver {
  readonly #logger: Logger;
  readonly #lookupAll: LookupAll;
  readonly #known = new Map<string, string>();
  readonly #failing = new Set<string>();
  readonly #underWay = new Map<string, Promise<void>>();

  constructor(logger: Logger, lookupAll: LookupAll = systemLookup) {
    this.#logger = logger;
    this.#lookupAll = lookupAll;
  }

  /** The address in use for a name: 16 bytes. */
  addressOf(host: string): Uint8Array | undefined {
    const text = this.#known.get(host);
    return text === undefined ? undefined : parseIp(text);
  }

  /** Looks all names up. @returns when each has answered, or failed, or was waited for: what comes later is kept all the same */
  async refresh(hosts: readonly string[]): Promise<void> {
    await Promise.all(hosts.map((host) => this.#refreshOne(host)));
  }

  /** Drops what is known of names that nobody asks for any more. */
  forgetOthers(hosts: readonly string[]): void {
    for (const host of [...this.#known.keys()]) if (!hosts.includes(host)) this.#known.delete(host);
    for (const host of [...this.#failing]) if (!hosts.includes(host)) this.#failing.delete(host);
  }

  async #refreshOne(host: string): Promise<void> {
    try {
      await withTimeout(this.#lookUp(host));
    } catch (error) {
      this.#noteFailure(host, error);
    }
  }

  /**
   * One at a time for each name. Look-ups are done by two of libuv's threads: names whose servers are silent hold them for longer than
   * anybody waits here, and the answers for all other names come late.
   */
  #lookUp(host: string): Promise<void> {
    const underWay = this.#underWay.get(host);
    if (underWay !== undefined) return underWay;
    const begun = this.#lookupAll(host)
      .then((addresses) => this.#noteAddresses(host, addresses))
      .finally(() => this.#underWay.delete(host));
    this.#underWay.set(host, begun);
    return begun;
  }

  #noteAddresses(host: string, addresses: readonly string[]): void {
    const before = this.#known.get(host);
    if (this.#failing.delete(host)) this.#logger.info(`host name ${host} resolves again`);
    const [first] = addresses;
    if (first === undefined || (before !== undefined && addresses.includes(before))) return;
    this.#known.set(host, first);
    if (before !== undefined) this.#logger.info(`host name ${host} moved from ${before} to ${first}`);
  }

  /** One line when it begins to fail, not one per attempt. */
  #noteFailure(host: string, error: unknown): void {
    if (this.#failing.has(host)) return;
    this.#failing.add(host);
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    const last = this.#known.get(host);
    const consequence = last === undefined ? 'its nodes take no connections' : `keeping ${last}`;
    this.#logger.warn(`host name ${host} cannot be resolved (${reason}): ${consequence}`);
  }
}

async function withTimeout<T>(lookup: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('no answer')), LOOKUP_TIMEOUT_MS);
  try {
    return await Promise.race([lookup, promise]);
  } finally {
    clearTimeout(timer);
  }
}
