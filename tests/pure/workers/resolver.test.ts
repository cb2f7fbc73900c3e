// Host names of nodes: answers pass the rules of addresses, the last good ones are kept through failures, and a name that fails is
// mentioned once, not every half minute.

import { afterEach, describe, expect, test, vi } from 'vitest';
import { formatIp } from '../../../core/base/ip.ts';
import { ipOf } from '../../../testing/loopback.ts';
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
  const text = (host: string) =>
    resolver
      .answersOf(host)
      .map((ip) => formatIp(ip, 0))
      .join(' ');
  return { answers, lines, resolver, text };
}

describe('a look-up that succeeds', () => {
  test('gives all addresses of the name once, of either family, in their order', async () => {
    const { answers, lines, resolver, text } = make({
      one: ['192.0.2.2', '192.0.2.1', '192.0.2.2'],
      six: ['2001:db8::1'],
    });
    expect(text('one')).toBe('');
    await resolver.refresh(['one', 'six']);
    expect([text('one'), text('six')]).toEqual(['192.0.2.2 192.0.2.1', '2001:db8::1']);
    answers.one = ['192.0.2.3'];
    await resolver.refresh(['one']);
    expect([text('one'), lines]).toEqual(['192.0.2.3', []]);
  });

  test('leaves out what would be refused if it were written', async () => {
    const mixed = [
      '0.0.0.0',
      '::',
      '224.0.0.1',
      'ff02::1',
      '255.255.255.255',
      'fe80::1%eth0',
      '::ffff:0.0.0.0',
      '192.0.2.1',
    ];
    const { lines, resolver, text } = make({ one: mixed });
    await resolver.refresh(['one']);
    expect([text('one'), lines]).toEqual(['192.0.2.1', []]);
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

  test.each([
    ['0.0.0.0', 'its answer 0.0.0.0 is every address of this machine'],
    ['::', 'its answer :: is every address of this machine'],
    ['224.0.0.1', 'its answer 224.0.0.1 is a multicast address'],
    ['255.255.255.255', 'its answer 255.255.255.255 is the broadcast address'],
    ['fe80::1%eth0', 'its answer fe80::1%eth0 is no address that can be used'],
    [undefined, 'it has no address'],
  ])('is one whose answer is %s: the last good one is kept, and it is mentioned once', async (answer, reason) => {
    const useless = answer === undefined ? [] : [answer];
    const { answers, lines, resolver, text } = make({ one: useless });
    for (let i = 0; i < 3; i++) await resolver.refresh(['one']);
    expect(text('one')).toBe('');
    answers.one = ['192.0.2.1'];
    await resolver.refresh(['one']);
    answers.one = useless;
    for (let i = 0; i < 3; i++) await resolver.refresh(['one']);
    expect(text('one')).toBe('192.0.2.1');
    expect(lines).toEqual([
      `warn: host name one cannot be resolved (${reason}): its nodes take no connections`,
      'info: host name one resolves again',
      `warn: host name one cannot be resolved (${reason}): keeping 192.0.2.1`,
    ]);
  });

  test('of a name never resolved says what that means', async () => {
    const { lines, resolver, text } = make({});
    await resolver.refresh(['gone']);
    expect(text('gone')).toBe('');
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
    expect(text('one')).toBe('');
    answers.one = 'ENOTFOUND';
    await resolver.refresh(['one']);
    expect(text('one')).toBe('');
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
    expect(resolver.answersOf('late')).toEqual([]);
    answer.resolve(['192.0.2.5']);
    await vi.advanceTimersByTimeAsync(0);
    expect(resolver.answersOf('late')).toEqual([ipOf('192.0.2.5')]);
    expect(lines).toEqual([
      'warn: host name late cannot be resolved (Error: no answer): its nodes take no connections',
      'info: host name late resolves again',
    ]);
    await resolver.refresh(['late']);
    expect(asked).toBe(2);
  });
});
