// Host names of nodes: the last good address is kept through failures, a name does not hop between its addresses, and a name
// that fails is mentioned once, not every half minute.

import { afterEach, describe, expect, test, vi } from 'vitest';
import { formatIp } from '../../../core/base/ip.ts';
import { Resolver } from '../../../workers/resolver.ts';
import { makeNotebook } from './notebook.ts';

/** A name service in the test's hand: a list of addresses, or the code of an error. */
function make(answers: Record<string, string[] | string>) {
  const { lines, ...logger } = makeNotebook();
  const resolver = new Resolver(logger, async (host) => {
    const answer = answers[host] ?? 'ENOTFOUND';
    if (typeof answer === 'string') throw Object.assign(new Error('look-up failed'), { code: answer });
    return answer;
  });
  const text = (host: string) => {
    const ip = resolver.addressOf(host);
    return ip === undefined ? undefined : formatIp(ip, 0);
  };
  return { answers, lines, resolver, text };
}

describe('a look-up that succeeds', () => {
  test('gives the first address, of either family', async () => {
    const { resolver, text } = make({ one: ['192.0.2.1', '192.0.2.2'], six: ['2001:db8::1'] });
    expect(text('one')).toBeUndefined();
    await resolver.refresh(['one', 'six']);
    expect([text('one'), text('six')]).toEqual(['192.0.2.1', '2001:db8::1']);
    await resolver.refresh(['one', 'six']);
  });

  test('keeps the address for as long as the name has it, in whatever order', async () => {
    const { answers, lines, resolver, text } = make({ one: ['192.0.2.1', '192.0.2.2'] });
    await resolver.refresh(['one']);
    answers.one = ['192.0.2.3', '192.0.2.2', '192.0.2.1'];
    await resolver.refresh(['one']);
    expect([text('one'), lines]).toEqual(['192.0.2.1', []]);
  });

  test('moves when the name no longer has it, and says so', async () => {
    const { answers, lines, resolver, text } = make({ one: ['192.0.2.1'], two: ['192.0.2.9'] });
    await resolver.refresh(['one', 'two']);
    answers.one = ['192.0.2.2', '192.0.2.3'];
    await resolver.refresh(['one', 'two']);
    expect([text('one'), text('two')]).toEqual(['192.0.2.2', '192.0.2.9']);
    expect(lines).toEqual(['info: host name one moved from 192.0.2.1 to 192.0.2.2']);
  });

  test('without an address changes nothing', async () => {
    const { answers, resolver, text } = make({ one: ['192.0.2.1'] });
    await resolver.refresh(['one']);
    answers.one = [];
    await resolver.refresh(['one']);
    expect(text('one')).toBe('192.0.2.1');
  });
});

describe('a look-up that fails', () => {
  test('keeps the last good address, and is mentioned once until it succeeds', async () => {
    const { answers, lines, resolver, text } = make({ one: ['192.0.2.1'] });
    await resolver.refresh(['one']);
    answers.one = 'EAI_AGAIN';
    for (let i = 0; i < 3; i++) await resolver.refresh(['one']);
    expect(text('one')).toBe('192.0.2.1');
    answers.one = ['192.0.2.1'];
    await resolver.refresh(['one']);
    answers.one = 'ETIMEOUT';
    await resolver.refresh(['one']);
    expect(lines).toEqual([
      'warn: host name one cannot be resolved (EAI_AGAIN): keeping 192.0.2.1',
      'info: host name one resolves again',
      'warn: host name one cannot be resolved (ETIMEOUT): keeping 192.0.2.1',
    ]);
  });

  test('of a name never resolved says what that means', async () => {
    const { lines, resolver, text } = make({});
    await resolver.refresh(['gone']);
    expect(text('gone')).toBeUndefined();
    expect(lines).toEqual(['warn: host name gone cannot be resolved (ENOTFOUND): its nodes take no connections']);
  });

  test('takes nothing from the other names', async () => {
    const { resolver, text } = make({ one: ['192.0.2.1'] });
    await resolver.refresh(['gone', 'one']);
    expect(text('one')).toBe('192.0.2.1');
  });

  test('with something else than an error of the system is told in its own words', async () => {
    const { lines, ...logger } = makeNotebook();
    const resolver = new Resolver(logger, () => Promise.reject(new TypeError('odd')));
    await resolver.refresh(['one']);
    expect(lines).toEqual(['warn: host name one cannot be resolved (TypeError: odd): its nodes take no connections']);
  });
});

describe('a name that nobody asks for any more', () => {
  test('is forgotten', async () => {
    const { answers, resolver, text } = make({ one: ['192.0.2.1'] });
    await resolver.refresh(['one']);
    await resolver.refresh([]);
    expect(text('one')).toBe('192.0.2.1');
    resolver.forgetOthers([]);
    expect(text('one')).toBeUndefined();
    answers.one = 'ENOTFOUND';
    await resolver.refresh(['one']);
    expect(text('one')).toBeUndefined();
  });

  test('and comes back still failing is mentioned again', async () => {
    const { lines, resolver } = make({});
    await resolver.refresh(['gone']);
    resolver.forgetOthers([]);
    await resolver.refresh(['gone']);
    expect(lines).toHaveLength(2);
  });
});

describe('a name whose server is silent', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  test('is asked for once at a time, is waited for a while, and its answer is kept when it comes', async () => {
    vi.useFakeTimers();
    const { lines, ...logger } = makeNotebook();
    const answer = Promise.withResolvers<string[]>();
    let asked = 0;
    const resolver = new Resolver(logger, () => {
      asked++;
      return answer.promise;
    });
    for (let round = 0; round < 2; round++) {
      const refreshed = resolver.refresh(['late']);
      await vi.advanceTimersByTimeAsync(5000);
      await refreshed;
    }
    expect(asked).toBe(1);
    expect(resolver.addressOf('late')).toBeUndefined();
    answer.resolve(['192.0.2.5']);
    await vi.advanceTimersByTimeAsync(0);
    expect(formatIp(resolver.addressOf('late') ?? new Uint8Array(16), 0)).toBe('192.0.2.5');
    expect(lines).toEqual([
      'warn: host name late cannot be resolved (Error: no answer): its nodes take no connections',
      'info: host name late resolves again',
    ]);
    await resolver.refresh(['late']);
    expect(asked).toBe(2);
  });
});
