// The order of the measurements, who takes part, and what happens when one fails: nothing goes on, and the error says where.

import { describe, expect, test } from 'vitest';
import { parseOptions } from '../../../bench/options.ts';
import { node } from '../../../bench/peers/node.ts';
import { describeLeftOut, plan, runRounds } from '../../../bench/rounds.ts';
import type { Scenario } from '../../../bench/scenario.ts';
import * as nginx from '../../../testing/servers/nginx.ts';

const { scale } = parseOptions(['--scale', 'tiny', '--rounds', '2'], [], []);
const one = { ...node, name: 'one' };
const two = { ...node, name: 'two', workersMax: 2 };

function scenario(name: string, more: Partial<Scenario> = {}): Scenario {
  return { name, describe: () => name, metrics: () => [], measure: async () => ({ figures: {} }), ...more };
}

const leavesOneOut = scenario('shards', {
  leavesOut: ({ name }) => (name === 'one' ? 'it has one thread' : undefined),
});

test('contenders take turns, in an order that turns round every time', () => {
  const turns = plan({ scale, scenarios: [scenario('new'), leavesOneOut], contenders: [one, two] });
  expect(turns.map(({ round, scenario, contender }) => `${round} ${scenario.name} ${contender.name}`)).toEqual([
    '1 new one',
    '1 new two',
    '1 shards two',
    '2 new two',
    '2 new one',
    '2 shards two',
  ]);
});

test('who is left out is said, with the reason', () => {
  const run = { scale, scenarios: [scenario('new'), leavesOneOut], contenders: [one, two] };
  expect(describeLeftOut(run)).toEqual(['shards: one left out: it has one thread']);
});

describe.skipIf(!nginx.available())(`with processes${nginx.available() ? '' : ` (skipped: ${nginx.missing})`}`, () => {
  test('each measurement has a sample, in the order of the rounds', async () => {
    let count = 0;
    const counting = scenario('counting', {
      async measure({ start }) {
        const { header } = await start({ header: 'v1' });
        expect(header).toBe('v1');
        return { figures: { x: ++count } };
      },
    });
    const measurements = await runRounds({ scale, scenarios: [counting], contenders: [one, two] });
    expect([...(measurements.get('counting') ?? [])]).toEqual([
      ['one', [{ figures: { x: 1 } }, { figures: { x: 4 } }]],
      ['two', [{ figures: { x: 2 } }, { figures: { x: 3 } }]],
    ]);
  });

  test('a contender that ends during the measurement fails the run', async () => {
    const deadly = scenario('deadly', {
      async measure({ start }) {
        const { program } = await start();
        program.killGroup();
        await program.exit;
        return { figures: {} };
      },
    });
    const failed = runRounds({ scale, scenarios: [deadly], contenders: [one] });
    await expect(failed).rejects.toThrow(
      /^round 1, scenario deadly, contender one: .*it ended during the measurement/s,
    );
  });

  test('after a failure nothing that was started goes on', async () => {
    const started: { exit: Promise<unknown> }[] = [];
    const failing = scenario('failing', {
      async measure({ start }) {
        const { program } = await start();
        started.push(program);
        throw new Error('a byte is missing');
      },
    });
    const failed = runRounds({ scale, scenarios: [failing], contenders: [one] });
    await expect(failed).rejects.toThrow('round 1, scenario failing, contender one: one (pid');
    await expect(failed).rejects.toThrow('a byte is missing');
    await Promise.all(started.map(({ exit }) => exit));
    expect(started).toHaveLength(1);
  });

  test('a header that a contender cannot send is refused', async () => {
    const wrong = scenario('wrong', {
      async measure({ start }) {
        await start({ header: 'v2+crc32c' });
        return { figures: {} };
      },
    });
    const failed = runRounds({ scale, scenarios: [wrong], contenders: [one] });
    await expect(failed).rejects.toThrow('one cannot send the header v2+crc32c');
  });
});
