// What is read from /proc is the contender's own: it does not depend on who else runs on the machine.

import { afterEach, expect, test } from 'vitest';
import { measureCpu, memoryBytes, processTree } from '../../../bench/meters.ts';
import { type Program, startProgram } from '../../../testing/process.ts';

const MIB = 1024 * 1024;

let programs: Program[] = [];

afterEach(async () => {
  for (const program of programs) program.killGroup();
  await Promise.all(programs.map(({ exit }) => exit));
  programs = [];
});

/** Says `ready`, and does `work` for each line that it hears. */
async function startNodeJs(work = ''): Promise<Program> {
  const code = `const kept = []; process.stdin.on('data', () => { ${work}; console.log('done'); }); console.log('ready');`;
  const program = await startProgram({ name: 'Node.js', command: process.execPath, args: ['-e', code] });
  programs.push(program);
  await program.waitForOutput(/^ready$/m);
  return program;
}

async function work(program: Program): Promise<void> {
  const from = program.output.length;
  program.write('go\n');
  await program.waitForOutput(/^done$/m, undefined, from);
}

test('memory does not shrink when others run the same program', async () => {
  const { pid } = await startNodeJs();
  const alone = memoryBytes(pid);
  for (let count = 0; count < 3; count++) await startNodeJs();
  expect(Math.abs(memoryBytes(pid) - alone)).toBeLessThan(MIB / 2);
});

test('memory grows by what is allocated', async () => {
  const program = await startNodeJs('kept.push(Buffer.alloc(64 * 1024 * 1024, 1))');
  const before = memoryBytes(program.pid);
  await work(program);
  const grown = memoryBytes(program.pid) - before;
  expect(grown).toBeGreaterThan(63 * MIB);
  expect(grown).toBeLessThan(80 * MIB);
});

test('the program that a tree runs is counted once', async () => {
  const code = `require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000); console.log("ready")'], { stdio: 'inherit' })`;
  const program = await startProgram({ name: 'Node.js', command: process.execPath, args: ['-e', code] });
  programs.push(program);
  await program.waitForOutput(/^ready$/m);
  const [parent = 0, child = 0, ...rest] = processTree(program.pid);
  expect(rest).toEqual([]);
  expect(memoryBytes(program.pid)).toBeLessThan(memoryBytes(parent) + memoryBytes(child));
  expect(memoryBytes(child)).toBeLessThan(memoryBytes(program.pid));
});

test('own CPU is what the process worked, and not what others did', async () => {
  const program = await startNodeJs(
    'const usedUs = () => process.cpuUsage().user + process.cpuUsage().system; const endUs = usedUs() + 300_000; while (usedUs() < endUs);',
  );
  const idle = await startNodeJs();
  const busy = await measureCpu(program.pid, () => work(program));
  expect(busy.ownUs).toBeGreaterThan(290_000);
  expect(busy.ownUs).toBeLessThan(600_000);
  expect(busy.boxUs).toBeGreaterThan(250_000);
  const other = await measureCpu(idle.pid, () => work(program));
  expect(other.ownUs).toBeLessThan(100_000);
});
