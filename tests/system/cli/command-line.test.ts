// The command line: options are strict, the help lists every verb, the version is the package's, and the exit code tells usage from
// success.

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { EXIT_CONFIG, EXIT_FAILURE, EXIT_OK, EXIT_TEMPORARY, EXIT_USAGE, UsageError } from '../../../cli/exit.ts';
import { help } from '../../../cli/help.ts';
import { parseOptions } from '../../../cli/options.ts';
import { VERSION } from '../../../cli/version.ts';

const ROOT = resolve(import.meta.dirname, '../../..');

interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

function balancer(...args: string[]): Promise<Ended> {
  return new Promise((done) => {
    const child = execFile(join(ROOT, 'bin/balancer'), args, (_error, stdout, stderr) => {
      done({ status: child.exitCode, stdout, stderr });
    });
  });
}

/** The verbs that main.ts knows: the keys of its table. */
function verbs(): string[] {
  const source = readFileSync(join(ROOT, 'cli/main.ts'), 'utf8');
  const table = /const VERBS[^{]*\{\n(.*?)\n\};/s.exec(source)?.[1] ?? '';
  return [...table.matchAll(/^ {2}(\w+):/gm)].map(([, name = '']) => name);
}

describe('options', () => {
  const spec = { file: { type: 'string', short: 'f' }, json: { type: 'boolean' } } as const;

  test.for<[string[], { file?: string; json?: boolean }]>([
    [[], {}],
    [['-f', 'a'], { file: 'a' }],
    [['-fa'], { file: 'a' }],
    [['--file', 'a', '--json'], { file: 'a', json: true }],
    [['--file=a=b'], { file: 'a=b' }],
    [['-f', 'a', '-f', 'b'], { file: 'b' }],
  ])('%j', ([args, values]) => {
    expect({ ...parseOptions(args, spec) }).toEqual(values);
  });

  test.for<[string[], RegExp]>([
    [['--fiel', 'a'], /^Unknown option '--fiel'$/],
    [['-x'], /^Unknown option '-x'$/],
    [['--file'], /^Option '-f, --file <value>' argument missing$/],
    [['-f', '--json'], /^Option '-f' argument is ambiguous/],
    [['--json=yes'], /^Option '--json' does not take an argument$/],
    [['stray'], /^Unexpected argument 'stray'/],
    [['--', 'stray'], /^Unexpected argument 'stray'/],
  ])('%j is a mistake that is named, in one line', ([args, message]) => {
    expect(() => parseOptions(args, spec)).toThrow(UsageError);
    expect(() => parseOptions(args, spec)).toThrow(message);
    expect(() => parseOptions(args, spec)).not.toThrow(/\n/);
  });
});

describe('help', () => {
  test('lists every verb, and no other', () => {
    const commands = /Commands:\n(.*?)\n\n/s.exec(help())?.[1] ?? '';
    const listed = [...commands.matchAll(/^ {2}(\w+)/gm)].map(([, name = '']) => name);
    expect(listed.sort()).toEqual(verbs().sort());
    expect(listed).toContain('run');
  });

  test('has a text of its own for every verb but itself', () => {
    for (const verb of verbs().filter((name) => name !== 'help')) {
      expect(help(verb), verb).toMatch(new RegExp(`^Usage: balancer ${verb}`));
      expect(help(verb).endsWith('\n')).toBe(true);
    }
  });

  test.for(['help', 'nonsense', 'constructor', '__proto__'])('about %j is the general one', (verb) => {
    expect(help(verb)).toBe(help());
  });

  test('tells the exit codes that there are', () => {
    expect([EXIT_OK, EXIT_FAILURE, EXIT_USAGE, EXIT_TEMPORARY, EXIT_CONFIG]).toEqual([0, 1, 2, 75, 78]);
    expect(help()).toContain(
      `${EXIT_OK} ok, ${EXIT_FAILURE} failure, ${EXIT_USAGE} usage, ${EXIT_TEMPORARY} an address or port is not to be had now, ` +
        `${EXIT_CONFIG} bad configuration`,
    );
  });
});

test('the version is that of package.json', () => {
  const manifest: { version: string } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  expect(VERSION).toBe(manifest.version);
  expect(VERSION).toMatch(/^\d+\.\d+\.\d+/);
});

describe.concurrent('the binary', () => {
  test('prints version and help on stdout', async () => {
    const [version, check] = await Promise.all([balancer('--version'), balancer('check', '--help')]);
    expect(version).toEqual({ status: EXIT_OK, stdout: `${VERSION}\n`, stderr: '' });
    expect(check).toEqual({ status: EXIT_OK, stdout: help('check'), stderr: '' });
  });

  test('answers a mistake on stderr with exit code 2 and a way on', async () => {
    const stderr = 'balancer: unknown command "chekc", did you mean "check"?\nTry "balancer --help".\n';
    expect(await balancer('chekc')).toEqual({ status: EXIT_USAGE, stdout: '', stderr });
  });

  test('tells a bad file by exit code 78', async () => {
    const missing = await balancer('check', '-f', '/nonexistent.yaml');
    expect(missing).toEqual({ status: EXIT_CONFIG, stdout: '', stderr: '/nonexistent.yaml: no such file\n' });
  });
});
