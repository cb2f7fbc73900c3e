// Host names of nodes -> addresses, off the data path, looked up again and again. Answers pass the same rules as addresses that are
// written, and the last good ones are kept when a look-up fails. Which of them a node gets is chosen elsewhere.

import { lookup } from 'node:dns/promises';
import { formatIp, parseIp } from '../core/base/ip.ts';
import { nodeIpFault } from '../core/config/node-address.ts';
import { fairly } from './fair-lookups.ts';
import type { Logger } from './logger.ts';

export const RESOLVE_INTERVAL_MS = 30_000;

/** A name server that does not answer counts as a failed look-up; the system's own patience is half a minute. */
const LOOKUP_TIMEOUT_MS = 5000;

export type LookupAll = (host: string) => Promise<readonly string[]>;

const systemLookup: LookupAll = fairly(async (host) => {
  const found = await lookup(host, { all: true, order: 'ipv4first' });
  return found.map(({ address }) => address);
});

export class Resolver {
  readonly #logger: Logger;
  readonly #lookupAll: LookupAll;
  readonly #known = new Map<string, readonly Uint8Array[]>();
  readonly #failing = new Set<string>();
  readonly #underWay = new Map<string, Promise<void>>();

  constructor(logger: Logger, lookupAll: LookupAll = systemLookup) {
    this.#logger = logger;
    this.#lookupAll = lookupAll;
  }

  /** The addresses of a name, 16 bytes each, in the order of the last good answer; none while there was none. */
  answersOf(host: string): readonly Uint8Array[] {
    return this.#known.get(host) ?? [];
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
   * One at a time for each name. Look-ups are done by some of libuv's threads: names whose servers are silent hold them for longer than
   * anybody waits here. See fair-lookups.ts.
   */
  #lookUp(host: string): Promise<void> {
    const underWay = this.#underWay.get(host);
    if (underWay !== undefined) return underWay;
    const begun = this.#lookupAll(host)
      .then((answers) => this.#noteAnswers(host, answers))
      .finally(() => this.#underWay.delete(host));
    this.#underWay.set(host, begun);
    return begun;
  }

  /** @throws when none of them can be a node's: a look-up that has failed */
  #noteAnswers(host: string, answers: readonly string[]): void {
    const usable = [...new Set(answers)].flatMap((text) => {
      const ip = parseIp(text);
      return ip === undefined || nodeIpFault(ip) !== undefined ? [] : [ip];
    });
    if (usable.length === 0) throw new UselessError(answers);
    if (this.#failing.delete(host)) this.#logger.info(`host name ${host} resolves again`);
    this.#known.set(host, usable);
  }

  /** One line when it begins to fail, not one per attempt. */
  #noteFailure(host: string, error: unknown): void {
    if (this.#failing.has(host)) return;
    this.#failing.add(host);
    const last = this.answersOf(host).map((ip) => formatIp(ip, 0));
    const consequence = last.length === 0 ? 'its nodes take no connections' : `keeping ${last.join(', ')}`;
    this.#logger.warn(`host name ${host} cannot be resolved (${reasonOf(error)}): ${consequence}`);
  }
}

/** There was an answer, and nothing in it that a node may have: blocking name servers answer 0.0.0.0. */
class UselessError extends Error {
  constructor(answers: readonly string[]) {
    const [first] = answers;
    const ip = parseIp(first ?? '');
    // A zone means something on one machine only.
    const fault = ip === undefined ? 'no address that can be used' : nodeIpFault(ip);
    super(first === undefined ? 'it has no address' : `its answer ${first} is ${fault}`);
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof UselessError) return error.message;
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
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
