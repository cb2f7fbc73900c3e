// A process that writes revisions is killed again and again, at any moment: what it had said to be written is there, and nothing half.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { withCompileCache } from '../../../bin/runtime.js';
import { openStore } from '../../../control/store/sqlite-store.ts';
import { firstSeed } from '../../../testing/suite/seeds.ts';
import { bySize } from '../../../testing/suite/size.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../../../testing/temporary.ts';
import { Random } from '../../sim/random.ts';

const KILLS = bySize({ quick: 20, thorough: 200 });
const WRITER = join(import.meta.dirname, 'store-writer.ts');

/** Starts the writer, kills it after it has said so many numbers and a moment more. @returns the last number that it said */
function writeAndKill(directory: string, numbers: number, delayMs: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const writer = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', WRITER, directory], {
    env: withCompileCache(process.env),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  let isDoomed = false;
  writer.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
    if (isDoomed || said.split('\n').length <= numbers) return;
    isDoomed = true;
    setTimeout(() => writer.kill('SIGKILL'), delayMs);
  });
  writer.on('error', reject);
  writer.on('close', () => {
    const last = said.split('\n').at(-2);
    if (last === undefined) reject(new Error('the writer said nothing'));
    else resolve(Number(last));
  });
  return promise;
}

test(`${KILLS} deaths while writing: the state before a write or after it`, async () => {
  const random = new Random(firstSeed());
  const directory = makeTemporaryDirectory('kill');
  for (let kill = 0; kill < KILLS; kill++) {
    const said = await writeAndKill(directory, random.int(1, 4), random.int(0, 3));
    const store = openStore(directory);
    const { revision, inventory } = store.read();
    store.close();
    // The one that it was about to say may be there too.
    expect([said, said + 1]).toContain(revision);
    // Each revision has the port of its number.
    expect(inventory.nodebalancers[0]?.configs[0]?.port).toBe(1 + (revision % 60_000));
  }
  removeTemporaryDirectory(directory);
});
