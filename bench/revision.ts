// Another revision of this repository as a contender: its files in a temporary work tree of git's, with the packages that it runs on.
// It never touches the tree that we are in, and leaves neither files nor an entry in `git worktree list` behind, however the
// run ends.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { suggest } from '../core/config/suggest.ts';
import { runProgram } from '../testing/process.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../testing/temporary.ts';
import type { Contender } from './contender.ts';
import { UsageError } from './options.ts';
import { balancerAt } from './peers/balancer.ts';

const ROOT = resolve(import.meta.dirname, '..');
const SHORT_HASH_CHARACTERS = 7;
const INSTALL_DEADLINE_MS = 600_000;

interface GitResult {
  ok: boolean;
  stdout: string;
  stderr: string;
}

/** Hooks are for people's own checkouts. */
function git(...args: string[]): GitResult {
  const all = ['-C', ROOT, '-c', 'core.hooksPath=/dev/null', ...args];
  const { status, stdout, stderr, error } = spawnSync('git', all, { encoding: 'utf8' });
  const said = error === undefined ? stderr : error.message;
  return { ok: status === 0, stdout: (stdout ?? '').trim(), stderr: (said ?? '').trim() };
}

/** The commit of this tree, with `+` when it has changes; undefined outside a repository. */
export function describeRevision(): string | undefined {
  const head = git('rev-parse', `--short=${SHORT_HASH_CHARACTERS}`, 'HEAD');
  if (!head.ok) return undefined;
  return `${head.stdout}${git('status', '--porcelain').stdout === '' ? '' : '+'}`;
}

/** The whole hash. Throws UsageError where there is no such revision, or no repository. */
export function findRevision(name: string): string {
  const inside = git('rev-parse', '--show-toplevel');
  if (!inside.ok) throw new UsageError(`--compare ${name}: this tree is not a git repository (${inside.stderr})`);
  const found = git('rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`);
  if (found.ok) return found.stdout;
  const guess = suggest(name, git('for-each-ref', '--format=%(refname:short)').stdout.split('\n'));
  throw new UsageError(
    `--compare ${name}: no such revision in this repository${guess === undefined ? '' : `, did you mean "${guess}"?`}`,
  );
}

/** A contender called `balancer@<short hash>`. Its tree is removed when this process ends, by a signal too. */
export async function openRevision(hash: string, progress: (text: string) => void): Promise<Contender> {
  const short = hash.slice(0, SHORT_HASH_CHARACTERS);
  const directory = makeTemporaryDirectory('revision');
  // Git's own directory inside of it: the outer one may belong to another user, whose repositories git would not trust.
  const tree = join(directory, 'tree');
  process.on('exit', () => {
    git('worktree', 'remove', '--force', tree);
    removeTemporaryDirectory(directory);
  });
  const added = git('worktree', 'add', '--detach', '--quiet', tree, hash);
  if (!added.ok) throw new Error(`git cannot check out ${short}: ${added.stderr}`);
  await providePackages(tree, short, progress);
  return balancerAt(tree, `balancer@${short}`, short);
}

/** Ours where they are the same; installing takes a while, and a network. */
async function providePackages(tree: string, short: string, progress: (text: string) => void): Promise<void> {
  if (!existsSync(join(tree, 'package.json'))) throw new UsageError(`--compare ${short}: there is no balancer in it`);
  if (runtimePackages(tree) === runtimePackages(ROOT)) {
    symlinkSync(join(ROOT, 'node_modules'), join(tree, 'node_modules'));
    return;
  }
  progress(`${short} runs on other packages: npm ci`);
  const install = { name: `npm ci in ${short}`, command: 'npm', args: ['ci', '--omit=dev', '--no-audit', '--no-fund'] };
  await runProgram({ ...install, cwd: tree }, INSTALL_DEADLINE_MS);
}

/** What package-lock.json pins for running; tools for development may differ. */
function runtimePackages(root: string): string {
  const file = join(root, 'package-lock.json');
  if (!existsSync(file)) return '';
  const lock: { packages: Record<string, { version?: string; dev?: boolean }> } = JSON.parse(
    readFileSync(file, 'utf8'),
  );
  return Object.entries(lock.packages)
    .filter(([path, { dev }]) => path !== '' && dev !== true)
    .map(([path, { version }]) => `${path} ${version}`)
    .sort()
    .join('\n');
}
