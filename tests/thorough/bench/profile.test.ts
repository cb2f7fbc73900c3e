// The profile as a whole, on a machine that permits everything, on one that has strace alone, and on one that has nothing: what is
// possible here is found out beforehand, and either outcome must be said. PATH decides which tools there are.

import { chmodSync, existsSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { parseOptions } from '../../../bench/options.ts';
import { balancer } from '../../../bench/peers/balancer.ts';
import type { ScenarioProfile } from '../../../bench/profile/take.ts';
import { probeTools } from '../../../bench/profile/tools.ts';
import { runProfile } from '../../../bench/profile.ts';
import * as nginx from '../../../testing/servers/nginx.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../../../testing/temporary.ts';

const DEADLINE_MS = 90_000;

describe('tools', () => {
  const { PATH, TMPDIR } = process.env;
  const directories: string[] = [];

  /** A PATH that has Node.js, for launchers, and nothing else but these programs. */
  function onlyOnPath(programs: Record<string, string>): void {
    const directory = makeTemporaryDirectory('bench-path');
    directories.push(directory);
    symlinkSync(process.execPath, join(directory, 'node'));
    for (const [name, target] of Object.entries(programs)) {
      const path = join(directory, name);
      if (target.startsWith('#!')) writeFileSync(path, target);
      else symlinkSync(target, path);
      if (target.startsWith('#!')) chmodSync(path, 0o755);
    }
    process.env.PATH = directory;
  }

  afterEach(() => {
    vi.unstubAllEnvs();
    process.env.PATH = PATH;
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
    for (const directory of directories.splice(0)) removeTemporaryDirectory(directory);
  });

  const REFUSES = '#!/bin/sh\necho "Access is limited" >&2\nexit 255\n';
  const WORKS = '#!/bin/sh\nexit 0\n';

  test('neither is there: both are named, with the packages that have them', () => {
    onlyOnPath({});
    const { canSample, counter, notes } = probeTools();
    expect({ canSample, counter }).toEqual({ canSample: false, counter: undefined });
    expect(notes.join('\n')).toContain('perf is not installed (Debian: apt-get install linux-perf)');
    expect(notes.join('\n')).toContain('strace is not installed (Debian: apt-get install strace)');
  });

  test('perf is not permitted: said with the setting that decides it, and strace counts', () => {
    onlyOnPath({ perf: REFUSES, strace: WORKS });
    const { canSample, counter, notes } = probeTools();
    expect({ canSample, counter }).toEqual({ canSample: false, counter: 'strace' });
    expect(notes.join('\n')).toMatch(/not permitted.*perf_event_paranoid is/);
    expect(notes.join('\n')).toContain('counted by strace');
  });

  test('strace is not permitted either', () => {
    onlyOnPath({ perf: REFUSES, strace: REFUSES });
    const { counter, notes } = probeTools();
    expect(counter).toBeUndefined();
    expect(notes.join('\n')).toContain('system calls are not counted: strace is not permitted');
  });

  const scale = parseOptions(['--scale', 'tiny'], ['new'], []).scale;
  const programs = (name: string) => (PATH ?? '').split(delimiter).map((folder) => join(folder, name));
  /** Names that perf was given of processes which are gone. */
  const leftNames = () =>
    readdirSync('/tmp').filter((file) => {
      const pid = file.match(/^perf-(\d+)\.map$/)?.[1];
      return pid !== undefined && !existsSync(`/proc/${pid}`);
    });

  describe.skipIf(!nginx.available())(`runProfile${nginx.available() ? '' : ` (skipped: ${nginx.missing})`}`, () => {
    test(
      'without any tool it says so, and the kernel’s share is what /proc knows',
      async () => {
        onlyOnPath({});
        const text = await runProfile({ scale, json: false }, [balancer], ['new']);
        expect(text).toMatch(/^note: no stacks, .*perf is not installed/m);
        expect(text).toMatch(/^note: system calls are not counted: strace is not installed/m);
        expect(text).toMatch(/^ +in the kernel +\d+\.\d%$/m);
        expect(text).not.toMatch(/user space|NaN|undefined/);
      },
      DEADLINE_MS,
    );

    test(
      'with strace alone it counts system calls, or says why not',
      async () => {
        const strace = programs('strace').find((path) => existsSync(path));
        onlyOnPath(strace === undefined ? {} : { strace });
        // How many sessions are ready at once, and so whether they share a call, is this machine's mood.
        vi.stubEnv('BALANCER_BATCH_FROM', '0');
        const { counter, notes } = probeTools();
        const text = await runProfile({ scale, json: false }, [balancer], ['keepalive']);
        for (const note of notes) expect(text).toContain(note);
        // A request and its answer are one send each.
        if (counter === 'strace') expect(text).toMatch(/^ +sendto +- +2\.\d\d$/m);
        else expect(text).toContain('system calls are not counted');
      },
      DEADLINE_MS,
    );

    test(
      'with perf it tells time by system call and by function, or says why not; and it leaves nothing behind',
      async () => {
        const { canSample, counter, notes } = probeTools();
        const namesBefore = leftNames();
        const temporary = makeTemporaryDirectory('bench-profile-test');
        directories.push(temporary);
        process.env.TMPDIR = temporary;
        const json = await runProfile({ scale, json: true }, [balancer], ['new', 'bulk', 'idle']);
        const profile: { notes: string[]; scenarios: ScenarioProfile[] } = JSON.parse(json);
        expect(profile.notes).toEqual([...notes, 'idle: no profile of these']);
        expect(profile.scenarios.map(({ name }) => name)).toEqual(['new', 'bulk']);
        for (const { name, unit, profiles } of profile.scenarios) {
          const [{ kernelShare, ownUsPerUnit, time, calls } = { kernelShare: 0, ownUsPerUnit: 0 }] = profiles;
          expect(kernelShare, name).toBeGreaterThan(0);
          expect(ownUsPerUnit, name).toBeGreaterThan(0);
          if (canSample) {
            expect(time?.samples, name).toBeGreaterThan(0);
            expect(time?.userFunctions.some(({ name }) => /^\S+ (core|workers)\/\S+\.ts:\d+$/.test(name))).toBe(true);
          } else expect(time, name).toBeUndefined();
          if (counter === undefined) expect(calls, name).toBeUndefined();
          else if (unit === 'connection') expect(calls?.calls.connect).toBeCloseTo(1, 0);
        }
        expect(leftNames()).toEqual(namesBefore);
        expect(readdirSync(temporary)).toEqual([]);
      },
      DEADLINE_MS,
    );
  });

  test('scenarios without a profile are a usage error that names those with one', async () => {
    await expect(runProfile({ scale, json: false }, [balancer], ['idle'])).rejects.toThrow(
      'idle: only new, keepalive, bulk have a profile',
    );
  });
});
