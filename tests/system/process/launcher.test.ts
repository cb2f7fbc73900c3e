// The two launchers: a shell that needs no Node.js, and a script for whoever has one. Both become the same process.

import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { VERSION } from '../../../cli/version.ts';
import { BALANCER } from '../../../testing/balancer.ts';
import { fileWith } from '../../../testing/files.ts';
import { freePorts } from '../../../testing/ports.ts';
import { startProgram } from '../../../testing/process.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../../../testing/temporary.ts';

const folder = makeTemporaryDirectory('launcher of mine');
afterAll(() => removeTemporaryDirectory(folder));

/** What a process was started with, once it is the balancer. */
async function started(
  command: string,
  args: readonly string[],
  cache?: string,
): Promise<{ argv: string[]; cache: string[] }> {
  const [port = 0] = await freePorts(1);
  const file = fileWith(
    JSON.stringify({ nodebalancers: [{ label: 'web', ipv4: '127.0.0.1', configs: [{ port, nodes: [] }] }] }),
  );
  const program = await startProgram({
    name: command,
    command,
    args: [...args, 'run', '-f', file],
    env: { BALANCER_ADMIN_ADDRESS: 'off', BALANCER_DATA_DIR: join(folder, 'data'), NODE_COMPILE_CACHE: cache },
  });
  try {
    await program.waitForOutput(/^balancer ready\b/m);
    const read = (what: string) => readFileSync(`/proc/${program.pid}/${what}`, 'utf8').split('\0');
    return {
      argv: read('cmdline').map((argument) => (argument === file ? 'FILE' : argument)),
      cache: read('environ').filter((line) => line.startsWith('NODE_COMPILE_CACHE=')),
    };
  } finally {
    await program.stop();
  }
}

/** Where nothing but these commands is found. */
function pathWith(...commands: string[]): string {
  const path = join(makeTemporaryDirectory('path'), 'bin');
  mkdirSync(path);
  for (const command of commands) symlinkSync(join('/usr/bin', command), join(path, command));
  return path;
}

async function run(command: string, env: Readonly<Record<string, string>>) {
  const program = await startProgram({ name: command, command, args: ['version'], env });
  const { code } = await program.waitForExit();
  return { code, stdout: program.stdout, stderr: program.stderr };
}

test('both start the same program with the same flags and the same cache', async () => {
  const shell = await started(BALANCER, []);
  expect(shell.cache).toHaveLength(1);
  expect(await started(process.execPath, [`${BALANCER}.js`])).toEqual(shell);
});

test('both leave the cache alone that somebody has chosen, be it none', async () => {
  for (const cache of ['', join(folder, 'cache')]) {
    for (const [command, ...args] of [[BALANCER], [process.execPath, `${BALANCER}.js`]] as const) {
      expect((await started(command, args, cache)).cache).toEqual([`NODE_COMPILE_CACHE=${cache}`]);
    }
  }
});

test('none but its own Node.js is needed, and a link to it will do', async () => {
  const link = join(folder, 'linked');
  symlinkSync(BALANCER, link);
  const env = { PATH: pathWith('readlink', 'uname') };
  expect(await run(link, env)).toEqual({ code: 0, stdout: `${VERSION}\n`, stderr: '' });
});

test('installed without it, it hands over to another, and where there is none it says what to do', async () => {
  const copy = join(folder, 'bin/balancer');
  mkdirSync(dirname(copy));
  copyFileSync(BALANCER, copy);
  const PATH = pathWith('readlink', 'uname');
  expect(await run(copy, { PATH })).toEqual({
    code: 1,
    stdout: '',
    stderr: 'balancer needs Node.js 26, which comes with it: run "npm ci" without --omit=optional\n',
  });
  writeFileSync(join(PATH, 'node'), '#!/bin/sh\nfor argument; do echo "<$argument>"; done\n', { mode: 0o755 });
  expect(await run(copy, { PATH })).toEqual({ code: 0, stdout: `<${copy}.js>\n<version>\n`, stderr: '' });
});
