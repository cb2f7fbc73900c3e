// Starting and stopping programs: the failures must say what the program did, and nothing may stay behind.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { eventually, runProgram, startProgram } from '../../../testing/process.ts';

const shell = (script: string) => ({ name: 'script', command: '/bin/sh', args: ['-c', script] });

test('waits for a line of output', async () => {
  const program = await startProgram(shell('echo first >&2; read line; echo "ready on $line"; exec sleep 60'));
  await program.waitForOutput(/first/);
  program.write('port 80\n');
  const [, port] = await program.waitForOutput(/ready on port (\d+)/);
  expect(port).toBe('80');
  expect(await program.stop()).toEqual({ code: null, signal: 'SIGTERM' });
});

test('a program that ends instead fails at once, with what it said', async () => {
  const program = await startProgram(shell('echo "bind: address in use" >&2; exit 3'));
  await expect(program.waitForOutput(/ready/)).rejects.toThrow(/exit 3[\s\S]*bind: address in use/);
});

test('a deadline fails with what it said', async () => {
  const program = await startProgram(shell('echo starting; exec sleep 60'));
  await program.waitForOutput(/starting/);
  await expect(program.waitForOutput(/ready/, 20)).rejects.toThrow(/within 20 ms[\s\S]*still running|still running/);
  await program.stop();
});

test('one that ignores SIGTERM is killed with its children', async () => {
  const program = await startProgram(shell('trap "" TERM; sleep 61 & echo "child $!"; while :; do wait; done'));
  const [, child] = await program.waitForOutput(/child (\d+)/);
  expect(await program.stop(50)).toEqual({ code: null, signal: 'SIGKILL' });
  await eventually('the child to be gone', () => {
    try {
      // Dead but not yet collected, where nobody collects orphans, is gone enough.
      return readFileSync(`/proc/${child}/stat`, 'utf8').includes(') Z ');
    } catch {
      return true;
    }
  });
});

test('a file that is not there is an error that names it', async () => {
  await expect(startProgram({ name: 'nothing', command: '/no/such/program' })).rejects.toThrow(
    'nothing: cannot start /no/such/program',
  );
});

test('runProgram rejects when the exit code is not 0', async () => {
  expect((await runProgram(shell('echo fine'))).stdout).toBe('fine\n');
  await expect(runProgram(shell('echo broken; exit 1'))).rejects.toThrow(/it failed[\s\S]*broken/);
});
