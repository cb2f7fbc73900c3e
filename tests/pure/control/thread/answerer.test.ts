// What the control thread asks for, on a data plane made of promises: nothing before the start, one after the other, nothing at the
// end, and an answer in any case.

import { describe, expect, test } from 'vitest';
import { Answerer } from '../../../../control/thread/answerer.ts';
import type { Config } from '../../../../core/config/model.ts';
import { ipOf } from '../../../../testing/loopback.ts';
import { ListenError } from '../../../../workers/listeners.ts';
import { RefusedError, type Supervisor } from '../../../../workers/supervisor.ts';

const EMPTY: Config = { nodebalancers: [] };

interface Reload {
  readonly config: Config;
  readonly done: (changes: Awaited<ReturnType<Supervisor['reload']>>) => void;
  readonly fail: (error: unknown) => void;
}

function make() {
  const reloads: Reload[] = [];
  const plane = {
    reload: (config: Config) => {
      const { promise, resolve, reject } = Promise.withResolvers<Awaited<ReturnType<Supervisor['reload']>>>();
      reloads.push({ config, done: resolve, fail: reject });
      return promise;
    },
    shards: {
      kill: async (owners: readonly unknown[]) => {
        if (owners.length > 1) throw new Error('shard 1 did not answer');
        return owners.length;
      },
    },
  } as unknown as ConstructorParameters<typeof Answerer>[0];
  return { answerer: new Answerer(plane), reloads };
}

/** Everything that can go on without an event from outside has gone on. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test('a change waits until the first configuration is in force', async () => {
  const { answerer, reloads } = make();
  const answer = answerer.apply(EMPTY);
  await settled();
  expect(reloads).toEqual([]);
  answerer.setReadiness('ready');
  await settled();
  reloads[0]?.done([{ kind: 'nodebalancer-removed', label: 'web' }]);
  expect(await answer).toEqual({ kind: 'applied', changes: [expect.stringContaining('web')] });
});

test('one after the other, in their order, also after one that failed', async () => {
  const { answerer, reloads } = make();
  answerer.setReadiness('ready');
  const second: Config = { nodebalancers: [] };
  const answers = [answerer.apply(EMPTY), answerer.apply(second)];
  await settled();
  expect(reloads).toHaveLength(1);
  reloads[0]?.fail(new Error('shard 0 did not answer'));
  await settled();
  expect(reloads[1]?.config).toBe(second);
  reloads[1]?.done([]);
  expect(await Promise.all(answers)).toEqual([
    { kind: 'failed', message: 'the change may be in force in part: shard 0 did not answer' },
    { kind: 'applied', changes: [] },
  ]);
});

test('at the end changes are refused, also those that waited', async () => {
  const { answerer, reloads } = make();
  answerer.setReadiness('ready');
  const [first, waiting] = [answerer.apply(EMPTY), answerer.apply(EMPTY)];
  await settled();
  answerer.setReadiness('draining');
  reloads[0]?.done([]);
  expect((await first).kind).toBe('applied');
  expect(await waiting).toEqual({ kind: 'refused', message: 'the balancer is about to end', listen: undefined });
  expect(reloads).toHaveLength(1);
});

describe('a refusal', () => {
  test.for([
    [
      new ListenError('cannot listen on [2001:db8::1]:80: no', { ip: ipOf('2001:db8::1'), port: 80 }, true),
      { ip: '2001:db8::1', port: 80 },
    ],
    [new RefusedError('too many ports'), undefined],
  ] as const)('keeps its reason: %s', async ([error, listen]) => {
    const { answerer, reloads } = make();
    answerer.setReadiness('ready');
    const answer = answerer.apply(EMPTY);
    await settled();
    reloads[0]?.fail(error);
    expect(await answer).toEqual({ kind: 'refused', message: error.message, listen });
  });
});

test('a kill does not wait for changes, and its failure is an answer', async () => {
  const { answerer } = make();
  const owner = { shard: 0, slot: 1, generation: 2 };
  expect(await answerer.kill([owner])).toEqual({ kind: 'killed', sessions: 1 });
  expect(await answerer.kill([owner, owner])).toEqual({
    kind: 'failed',
    message: 'sessions may not have ended: shard 1 did not answer',
  });
});
