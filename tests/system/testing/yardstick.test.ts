// Whether the yardstick sees a machine that is busy: two programs on one CPU, which only one can have.

import { afterEach, expect, test } from 'vitest';
import { type Program, startProgram } from '../../../testing/process.ts';
import { measure } from '../../../testing/yardstick.ts';

const CPU = '0';
/** Works for as long as it is told, by its own CPU time, and says how long that took. */
const WORKER = `
process.stdin.on('data', (text) => {
  const usedMs = () => (process.cpuUsage().user + process.cpuUsage().system) / 1000;
  const endMs = usedMs() + Number(text);
  while (usedMs() < endMs);
  console.log('done');
});
console.log('ready');
`;

const programs: Program[] = [];
afterEach(() => {
  for (const program of programs.splice(0)) program.killGroup();
});

async function startWorker(): Promise<Program> {
  const args = ['-c', CPU, process.execPath, '-e', WORKER];
  const program = await startProgram({ name: 'worker', command: 'taskset', args });
  programs.push(program);
  await program.waitForOutput(/^ready$/m);
  return program;
}

test('a program that shares its CPU is held up by what the other one works', async () => {
  const [own, other] = [await startWorker(), await startWorker()];
  other.write('60000');
  const workMs = 300;
  const { tookMs, heldUpMs } = await measure([own.pid], async () => {
    own.write(String(workMs));
    await own.waitForOutput(/^done$/m);
  });
  expect(tookMs).toBeGreaterThan(1.5 * workMs);
  // All of the time in which it did not work it waited, but for what is lost between two samples.
  expect(heldUpMs).toBeGreaterThan(0.7 * (tookMs - workMs));
});

test('so is one that has ended when it is asked for', async () => {
  const [own, other] = [await startWorker(), await startWorker()];
  other.write('60000');
  const { tookMs, heldUpMs } = await measure([own.pid], async () => {
    own.write('300');
    await own.waitForOutput(/^done$/m);
    own.killGroup();
    await own.exit;
  });
  expect(heldUpMs).toBeGreaterThan(0.5 * (tookMs - 300));
});
