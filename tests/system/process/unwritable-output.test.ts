// Output that cannot be written is a failure that is told: of every verb, on either stream. A token that nobody could read is revoked,
// and a file that is asked for is there as a whole or as it was before. A reader who goes away has seen enough.

import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BALANCER } from '../../../testing/balancer.ts';
import { fileWith } from '../../../testing/files.ts';
import { startProgram } from '../../../testing/process.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../../../testing/temporary.ts';
import { BARE_ENVIRONMENT } from './binary.ts';

const NODES = Array.from({ length: 300 }, (_, i) => `{ label: node-${i}, address: "127.0.0.1:${1000 + i}" }`);
const CONFIG = `nodebalancers:
  - label: web
    ipv4: 127.0.0.1
    configs:
      - port: 8081
        nodes: [${NODES.join(', ')}]
`;
const TOKEN = 'token create --scope read_only --label lost';
const NO_ROOM = 'balancer: stdout cannot be written: no space left on device (ENOSPC)\n';

let dataDir = '';
let file = '';
beforeAll(async () => {
  dataDir = makeTemporaryDirectory('store');
  file = fileWith(CONFIG);
  expect(await sh(`apply -f ${file}`)).toMatchObject({ code: 0 });
});
afterAll(() => removeTemporaryDirectory(dataDir));

/** @param line what follows the command's name @param before of the same shell */
async function sh(line: string, before = '') {
  const program = await startProgram({
    name: line,
    command: 'bash',
    args: ['-c', `${before} ${BALANCER} ${line}`],
    env: { ...BARE_ENVIRONMENT, BALANCER_DATA_DIR: dataDir },
  });
  program.closeInput();
  const { code } = await program.waitForExit();
  return { code, stdout: program.stdout, stderr: program.stderr };
}

describe('a full disk', () => {
  test.each(['export', 'history', 'token list', 'env', 'version'])('stdout of %s: message, exit 1', async (verb) => {
    expect(await sh(`${verb} > /dev/full`)).toEqual({ code: 1, stdout: '', stderr: NO_ROOM });
  });

  test('stdout of check and of a dry run, which say more besides', async () => {
    for (const verb of [`check -f ${file}`, `apply --dry-run --json -f ${file}`]) {
      const ran = await sh(`${verb} > /dev/full`);
      expect(ran.code, verb).toBe(1);
      expect(ran.stderr.endsWith(NO_ROOM), ran.stderr).toBe(true);
    }
  });

  test('stderr: exit 1 where it would have been 0, else what it was', async () => {
    expect(await sh(`apply --dry-run -f ${file} 2> /dev/full`)).toMatchObject({ code: 1 });
    expect(await sh('check -f /no/such/file 2> /dev/full')).toMatchObject({ code: 78 });
    expect(await sh('chekc 2> /dev/full')).toMatchObject({ code: 2 });
  });

  test('a change that cannot be printed is made all the same, and the exit code says that something is missing', async () => {
    const other = fileWith(CONFIG.replace('label: web', 'label: shop'));
    const ran = await sh(`apply -f ${other} > /dev/full`);
    expect(ran).toMatchObject({ code: 1, stderr: expect.stringMatching(/^revision \d+: .*\n.*ENOSPC\)\n$/) });
    expect((await sh('export')).stdout).toContain('label: shop');
    expect((await sh(`apply -f ${file}`)).code).toBe(0);
  });
});

test('a token that could not be printed is revoked', async () => {
  const ran = await sh(`${TOKEN} > /dev/full`);
  expect(ran.code).toBe(1);
  expect(ran.stderr).toBe(`balancer: token 1 could not be printed, and is revoked\n${NO_ROOM}`);
  expect((await sh('token list')).stdout).not.toContain('lost');
  expect((await sh(TOKEN)).stdout).toMatch(/^balancer_\S+\n$/);
  expect((await sh('token list')).stdout).toContain('lost');
});

test('a stdout that is closed cannot be written', async () => {
  const ran = await sh('export >&-');
  expect(ran).toEqual({
    code: 1,
    stdout: '',
    stderr: 'balancer: stdout cannot be written: bad file descriptor (EBADF)\n',
  });
});

test('a reader who goes away is no failure, and nothing is said; a token that he has not read is revoked', async () => {
  const gone = (line: string) => sh(`${line} | (exec <&-; sleep 0); exit \${PIPESTATUS[0]}`, 'sleep 0;');
  expect(await gone('export')).toEqual({ code: 0, stdout: '', stderr: '' });
  const head = await sh('export | head -1');
  expect(head).toEqual({ code: 0, stdout: 'nodebalancers:\n', stderr: '' });
  const before = (await sh('token list')).stdout;
  expect(await gone(TOKEN)).toEqual({ code: 1, stdout: '', stderr: '' });
  expect((await sh('token list')).stdout).toBe(before);
});

describe('export -o', () => {
  let folder = '';
  let whole = '';
  beforeAll(async () => {
    folder = makeTemporaryDirectory('export');
    whole = (await sh('export')).stdout;
  });

  test('makes the file, and nothing else', async () => {
    const path = join(folder, 'new');
    expect(await sh(`export -o ${path}`, 'umask 027;')).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(readFileSync(path, 'utf8')).toBe(whole);
    expect(statSync(path).mode & 0o777).toBe(0o640);
    expect(JSON.parse((await sh('export --json --output /dev/stdout | cat')).stdout)).toHaveProperty('nodebalancers');
    expect(readdirSync(folder)).toEqual(['new']);
  });

  test('replaces one with its permissions, through a symbolic link', async () => {
    const [path, link] = [join(folder, 'old'), join(folder, 'link')];
    writeFileSync(path, 'before');
    chmodSync(path, 0o600);
    symlinkSync('old', link);
    expect(await sh(`export -o ${link}`, 'umask 022;')).toMatchObject({ code: 0 });
    expect(readFileSync(path, 'utf8')).toBe(whole);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
  });

  test.skipIf(process.getuid?.() !== 0)(
    'on a full disk leaves what was there, and nothing beside it (skipped unless root)',
    async () => {
      const small = join(folder, 'small');
      mkdirSync(small);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', small]);
      try {
        const path = join(small, 'backup');
        writeFileSync(path, 'before');
        expect(await sh(`export -o ${path}`)).toEqual({
          code: 1,
          stdout: '',
          stderr: `balancer: ${path} cannot be written, and is as it was: no space left on device (ENOSPC)\n`,
        });
        expect([readdirSync(small), readFileSync(path, 'utf8')]).toEqual([['backup'], 'before']);
        expect(await sh(`export > ${small}/cut`)).toEqual({ code: 1, stdout: '', stderr: NO_ROOM });
      } finally {
        execFileSync('umount', [small]);
      }
    },
  );

  test('says what is wrong with a place where no file can be', async () => {
    expect(await sh(`export -o ${join(folder, 'no/such/folder')}`)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/no such file or directory \(ENOENT\)\n$/),
    });
    expect(await sh(`export -o ${folder}`)).toMatchObject({ code: 1, stderr: expect.stringMatching(/\(EISDIR\)\n$/) });
    expect(await sh("export -o ''")).toMatchObject({ code: 2 });
    expect(await sh('export -o /dev/full')).toMatchObject({ code: 1, stderr: expect.stringMatching(/\(ENOSPC\)\n$/) });
    expect(existsSync('/dev/full') && statSync('/dev/full').isCharacterDevice()).toBe(true);
  });
});
