// What the process asks Linux about itself. The changes it makes (descriptor limit, CPU affinity) are made in a child, so that the
// test's own process stays as it is.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { EINVAL } from '../../../core/base/errno.ts';
import { ephemeralPortMin, pipeBytesAllowed, pipeBytesMax, somaxconn } from '../../../core/linux/process.ts';

const MODULE = resolve(import.meta.dirname, '../../../core/linux/process.ts');
const SYSTEM_CALLS = resolve(import.meta.dirname, '../../../core/linux/system-calls.ts');

/** Runs a module with everything that `process.ts` exports as `linux`. @returns exit code and stdout */
function inChild(code: string): { status: number | null; stdout: string } {
  const program = `import * as linux from ${JSON.stringify(MODULE)}; import { readFileSync } from 'node:fs'; ${code}`;
  const args = ['--input-type=module', '-e', program];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status === null) throw new Error(stderr);
  return { status, stdout: stdout.trim() };
}

function sysctlNumber(path: string): number {
  return Number(readFileSync(`/proc/sys/${path}`, 'utf8').trim().split(/\s+/)[0]);
}

describe('limits of the machine', () => {
  test('are those in /proc/sys', () => {
    expect(somaxconn()).toBe(sysctlNumber('net/core/somaxconn'));
    expect(ephemeralPortMin()).toBe(sysctlNumber('net/ipv4/ip_local_port_range'));
  });

  test('pipes: without limit for a privileged user, else a size that pipe(7) names', () => {
    const isRoot = process.getuid?.() === 0;
    const soft = sysctlNumber('fs/pipe-user-pages-soft') * 4096 || Number.POSITIVE_INFINITY;
    expect([soft, Number.POSITIVE_INFINITY]).toContain(pipeBytesAllowed());
    expect([sysctlNumber('fs/pipe-max-size'), Number.POSITIVE_INFINITY]).toContain(pipeBytesMax());
    if (!isRoot) expect(pipeBytesMax()).toBe(sysctlNumber('fs/pipe-max-size'));
  });
});

test('the soft limit of open files is raised to the hard one', () => {
  // Node.js raises its soft limit itself at start: here it is lowered again first.
  const code = `
    const { addressOf, systemCalls } = await import(${JSON.stringify(SYSTEM_CALLS)});
    const limits = () => /Max open files\\s+(\\d+)\\s+(\\d+)/.exec(readFileSync('/proc/self/limits', 'utf8')).slice(1);
    const memory = new SharedArrayBuffer(16);
    new BigUint64Array(memory).set([300n, 700n]);
    systemCalls.prlimit64(0, 7, addressOf(memory), 0);
    console.log(...limits(), linux.raiseDescriptorLimit(), ...limits(), linux.raiseDescriptorLimit());`;
  expect(inChild(code).stdout).toBe('300 700 700 700 700 700');
});

test('a thread is bound to the CPU asked for; one that does not exist is an error', () => {
  const code = `
    const own = () => /^Cpus_allowed_list:\\s*(.*)$/m.exec(readFileSync('/proc/thread-self/status', 'utf8'))[1];
    const first = Number.parseInt(own(), 10);
    console.log(linux.pinThread(first), own() === String(first), linux.pinThread(1000), linux.pinThread(5000));`;
  expect(inChild(code).stdout).toBe(`0 true -${EINVAL} -${EINVAL}`);
});

test('exitAtOnce ends the process with its code, and nothing else runs', () => {
  const code = `
    process.on('exit', () => console.log('exit handler'));
    setTimeout(() => {}, 60_000);
    linux.exitAtOnce(7);`;
  expect(inChild(code)).toEqual({ status: 7, stdout: '' });
});
