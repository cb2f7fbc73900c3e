// Look-ups beside silent name servers: those that answer are not kept waiting by those that do not, and everybody gets a turn.

import { describe, expect, test } from 'vitest';
import { fairly, lookupSlots } from '../../../workers/fair-lookups.ts';

/** A name service in the test's hand: each look-up waits until it is answered. */
class Names {
  /** in the order in which they were begun */
  readonly begun: string[] = [];
  nowMs = 0;
  readonly #open = new Map<string, PromiseWithResolvers<readonly string[]>>();
  readonly lookup: ReturnType<typeof fairly>;

  constructor(slots: number) {
    const lookupAll = (host: string) => {
      this.begun.push(host);
      const open = Promise.withResolvers<readonly string[]>();
      this.#open.set(host, open);
      return open.promise;
    };
    this.lookup = fairly(lookupAll, slots, () => this.nowMs);
  }

  /** @param afterMs how long it has taken, all that are under way having waited as long */
  async answer(host: string, afterMs = 10): Promise<void> {
    this.nowMs += afterMs;
    this.#open.get(host)?.resolve(['192.0.2.1']);
    // The next one begins when the promise has been heard.
    for (let i = 0; i < 5; i++) await Promise.resolve();
  }

  async fail(host: string, afterMs: number): Promise<void> {
    this.nowMs += afterMs;
    this.#open.get(host)?.reject(new Error('EAI_AGAIN'));
    for (let i = 0; i < 5; i++) await Promise.resolve();
  }

  /** Begins look-ups whose results the test does not look at. */
  ask(...hosts: string[]): void {
    for (const host of hosts) this.lookup(host).catch(() => {});
  }
}

const SILENT_MS = 30_000;

describe('fair look-ups', () => {
  test('as many as there are threads, then one after the other in their order', async () => {
    const names = new Names(2);
    names.ask('a', 'b', 'c', 'd');
    expect(names.begun).toEqual(['a', 'b']);
    await names.answer('b');
    await names.answer('a');
    expect(names.begun).toEqual(['a', 'b', 'c', 'd']);
  });

  test('answer and error reach whoever asked', async () => {
    const names = new Names(1);
    const [good, bad] = [names.lookup('good'), names.lookup('bad')];
    await names.answer('good');
    expect(await good).toEqual(['192.0.2.1']);
    await names.fail('bad', 10);
    await expect(bad).rejects.toThrow('EAI_AGAIN');
  });

  test('names that were silent get half of the threads at most, and others go first', async () => {
    const names = new Names(4);
    const silent = ['s1', 's2', 's3', 's4'];
    names.ask(...silent);
    await names.fail('s1', SILENT_MS);
    for (const host of silent.slice(1)) await names.fail(host, 0);
    names.begun.length = 0;
    names.ask(...silent, 'good', 'better');
    expect(names.begun).toEqual(['s1', 's2', 'good', 'better']);
    await names.answer('good');
    expect(names.begun).toHaveLength(4);
    names.ask('best');
    expect(names.begun.at(-1)).toBe('best');
  });

  test('one that answers again is as good as any', async () => {
    const names = new Names(2);
    names.ask('late');
    await names.answer('late', SILENT_MS);
    names.ask('late');
    await names.answer('late');
    names.begun.length = 0;
    names.ask('late', 'other');
    names.ask('third');
    expect(names.begun).toEqual(['late', 'other']);
  });

  test('with one thread the silent ones have their turn, too', async () => {
    const names = new Names(1);
    names.ask('s');
    await names.fail('s', SILENT_MS);
    names.ask('s', 'good');
    expect(names.begun).toEqual(['s', 's']);
    await names.fail('s', SILENT_MS);
    expect(names.begun).toEqual(['s', 's', 'good']);
  });
});

test.for([
  [undefined, 2],
  ['64', 32],
  ['1', 1],
  ['0', 1],
  ['9999', 512],
  ['many', 2],
] as const)('UV_THREADPOOL_SIZE=%s: %i look-ups at a time', ([size, slots]) => {
  expect(lookupSlots(size === undefined ? {} : { UV_THREADPOOL_SIZE: size })).toBe(slots);
});
