// Keeps the documents true: generated parts are what the product says today, every name in them exists, every name of the product is
// in them, and links lead somewhere.

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { VARIABLES } from '../../cli/environment.ts';
import { EXIT_CONFIG, EXIT_TEMPORARY, EXIT_USAGE } from '../../cli/exit.ts';
import { help } from '../../cli/help.ts';
import { Metrics } from '../../control/api/metrics.ts';
import type { ShardCounts } from '../../control/data-plane.ts';
import { SHARD_COUNTERS } from '../../core/metrics/counters.ts';
import {
  beginRecord,
  commitRecord,
  createSessionLog,
  LOG_FIELDS,
  sessionLogBytes,
  takeRecord,
} from '../../core/metrics/session-log.ts';
import { outcomeCodes } from '../../core/session/outcome.ts';
import { withGeneratedParts } from '../../scripts/docs.ts';
import { sessionLine } from '../../workers/session-line.ts';
import { parseExposition } from './control/api/beyond/exposition-parser.ts';
import { frontendOf, nodeOf } from './control/api/beyond/support.ts';
import { startLab } from './control/api/support.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const DOCUMENTS = ['README.md', ...readdirSync(join(ROOT, 'docs')).map((name) => join('docs', name))].filter((name) =>
  name.endsWith('.md'),
);

function read(document: string): string {
  return readFileSync(join(ROOT, document), 'utf8');
}

const README = read('README.md');

/** What stands under a heading, up to the next of the same or a higher level. */
function section(title: string): string {
  const lines = README.split('\n');
  const from = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, '') === title);
  expect(from, `the section "${title}"`).toBeGreaterThanOrEqual(0);
  const level = lines[from]?.match(/^#+/)?.[0].length ?? 0;
  const rest = lines.slice(from + 1);
  const to = rest.findIndex((line) => (line.match(/^(#+) /)?.[1]?.length ?? 99) <= level);
  return rest.slice(0, to < 0 ? rest.length : to).join('\n');
}

/** Every capture of a pattern, each once, in order. */
function all(text: string, pattern: RegExp): string[] {
  return [...new Set([...text.matchAll(pattern)].map((match) => match[1] ?? ''))].sort();
}

test('the generated parts of the README are up to date: else run `node scripts/node.js scripts/docs.ts`', () => {
  expect(withGeneratedParts(README)).toBe(README);
});

test('the example is the file that examples/ has', () => {
  expect(README).toContain(`\`\`\`yaml\n${read('examples/balancer.yaml').trimEnd()}\n\`\`\``);
});

describe('the command line', () => {
  const verbs = all(help(), /^ {2}([a-z]+) .*$/gm);
  const commands = section('Commands');

  test('has every verb in the README, and the README no other', () => {
    expect(verbs).toContain('run');
    expect(all(commands, /`balancer ([a-z]+)/g)).toEqual(verbs);
    const mentioned = DOCUMENTS.flatMap((document) => all(read(document), /balancer(?:\.js)? ([a-z]+) (?:-f|\[)/g));
    for (const verb of mentioned) expect(verbs).toContain(verb);
  });

  test('has every option of the help in the README, and the README no other', () => {
    const options = (text: string) => all(text, /(?:^|[\s`,[])(--?[a-z][a-z-]*)/gm);
    const inHelp = options([help(), ...verbs.map((verb) => help(verb))].join('\n'));
    expect(inHelp).toContain('--file');
    // `--help` itself is in no help text.
    expect(options(commands).filter((option) => option !== '--help')).toEqual(inHelp);
  });

  test('has the exit codes of the help', () => {
    const codes = /Exit codes: (.*)\./.exec(help())?.[1]?.match(/\d+/g);
    expect(all(section('Commands'), /^\| (\d+) \|/gm)).toEqual(codes?.sort());
  });

  test('has the signals of the help', () => {
    const signals = all(help('run'), /^ {2}([A-Z][A-Z0-9]+) /gm);
    expect(signals).toContain('HUP');
    const documented = all(section('Signals'), /^\| ([A-Z0-9]+) \|/gm);
    for (const signal of signals) expect(documented).toContain(signal);
  });
});

test('the unit starts again where that helps, however often, and not where it does not', () => {
  const text = /^# Under systemd$[\s\S]*?^```ini$([\s\S]*?)^```$/m.exec(README.replaceAll('## ', '# '))?.[1] ?? '';
  const unit = new Map([...text.matchAll(/^([A-Z]\w+)=(.*)$/gm)].map(([, key = '', value]) => [key, value]));
  const codes = (key: string) => (unit.get(key) ?? '').split(' ').map(Number);
  expect(unit.get('Restart')).toBe('on-failure');
  expect(codes('RestartPreventExitStatus')).toEqual([EXIT_USAGE, EXIT_CONFIG]);
  expect(codes('SuccessExitStatus')).not.toContain(EXIT_TEMPORARY);
  // systemd gives up after five starts within ten seconds else.
  expect(unit.get('StartLimitIntervalSec')).toBe('0');
  expect(Number(unit.get('RestartSec'))).toBeGreaterThanOrEqual(1);
});

describe('environment variables', () => {
  const known = Object.values(VARIABLES).map(({ name }) => `BALANCER_${name}`);

  test('are all in the README', () => {
    expect(all(section('Environment variables'), /^\| `(BALANCER_\w+)`/gm)).toEqual([...known].sort());
  });

  test.each(DOCUMENTS)('%s names no other', (document) => {
    const unknown = all(read(document), /\b(BALANCER_[A-Z0-9_]*[A-Z0-9])\b/g).filter((name) => !known.includes(name));
    expect(unknown.filter((name) => !name.startsWith('BALANCER_TEST_'))).toEqual([]);
  });
});

describe('outcome codes', () => {
  const { who, phases } = outcomeCodes();

  test('letters are all in the README', () => {
    const letters = all(section('Outcomes'), /^\| `(.)` \|/gm);
    expect(letters).toEqual([...new Set([...who, ...phases])].sort());
  });

  test.each(DOCUMENTS)('%s names no pair that does not exist', (document) => {
    const outcomes = document === 'README.md' ? section('Outcomes') : read(document);
    for (const code of all(outcomes, /`([A-Za-z-][A-Z-])`/g)) {
      expect(who, code).toContain(code[0]);
      expect(phases, code).toContain(code[1]);
    }
  });
});

test('metrics are all in the README, with type, labels and meaning as the balancer tells them', async () => {
  const lab = startLab();
  const counts = Object.fromEntries(SHARD_COUNTERS.map((name) => [name, 0])) as ShardCounts;
  lab.plane.shardCounts = () => [counts];
  lab.plane.frontends = [frontendOf('web', 80, { nodes: [nodeOf('one', '192.0.2.10:80')] })];
  const families = parseExposition(new Metrics(lab.context).text());
  const rows = [...families].map(([name, { type, help, series }]) => {
    const labels = Object.keys(series[0]?.labels ?? {}).filter((label) => label !== 'le');
    return `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help.replace(/\.$/, '')} |`;
  });
  await lab.close();
  expect(section('Metrics').match(/^\| `.*$/gm)).toEqual(rows);
});

test('the sample of the access log has the fields that the table explains and the balancer writes', () => {
  const text = section('Access log');
  const sample = Object.keys(JSON.parse(/```json\n(.*)\n```/.exec(text)?.[1] ?? ''));
  const explained = [...text.matchAll(/^\| (`[^|]*) \|/gm)].flatMap((row) => (row[1] ?? '').match(/[a-z_]+/g) ?? []);
  const written = writtenFields();
  expect(explained).toEqual(written);
  expect(sample).toEqual(written.filter((field) => field !== 'errno'));
});

/** The fields of one line, all of them: the session had a node, and an error. */
function writtenFields(): string[] {
  const log = createSessionLog(new SharedArrayBuffer(sessionLogBytes(1)), 1);
  const record = beginRecord(log);
  log.numbers[record + LOG_FIELDS.indexOf('backErrno')] = 104;
  commitRecord(log);
  const names = {
    frontend: () => ({ label: 'web', port: 80 }),
    node: () => ({ label: 'web-1', address: '192.0.2.10:8080' }),
  };
  const taken = takeRecord(log);
  if (taken === undefined) throw new Error('no record');
  return Object.keys(JSON.parse(sessionLine(0, taken, names, 0)));
}

describe.each(DOCUMENTS)('%s', (document) => {
  const text = read(document);

  test('links lead somewhere', () => {
    const broken = all(text, /\]\((?!https?:)([^)\s]+)\)/g).filter((link) => !leadsSomewhere(document, link));
    expect(broken).toEqual([]);
  });

  test('paths in code exist', () => {
    const paths = all(text, /`((?:bin|cli|control|workers|core|bench|scripts|examples|tests|docs)\/[\w./-]*)`/g);
    expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  test('npm scripts exist', () => {
    const { scripts }: { scripts: Record<string, string> } = JSON.parse(read('package.json'));
    const named = all(text, /\bnpm (?:run ([a-z]+))/g);
    expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
  });

  test('speaks of the project alone', () => {
    expect(text).not.toMatch(/\/(?:work|root|home|tmp)\//);
    expect(text).not.toMatch(/\p{Extended_Pictographic}/u);
  });
});

function leadsSomewhere(document: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const file = path === '' ? join(ROOT, document) : join(ROOT, dirname(document), path);
  if (!existsSync(file)) return false;
  return anchor === undefined || anchorsOf(readFileSync(file, 'utf8')).includes(anchor);
}

/** As GitHub makes them: lower case, punctuation dropped, spaces to hyphens. */
function anchorsOf(text: string): string[] {
  const prose = text.replaceAll(/^```[\s\S]*?^```/gm, '');
  return [...prose.matchAll(/^#+ (.*)$/gm)].map((match) =>
    (match[1] ?? '')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  );
}

describe('the life of a connection shows what the source says', () => {
  const text = read('docs/life-of-a-connection.md');

  test.each([
    ['core/session/table.ts', /^\/\/ The phases of a slot:\n([\s\S]*?)^export/m],
    ['core/session/settle.ts', /^(\/\/ {3}front {7}back[\s\S]*?)^\/\/ "FIN'd"/m],
  ])('the diagram of %s', (file, diagram) => {
    const comment = diagram.exec(read(file))?.[1] ?? '';
    const lines = comment.split('\n').map((line) => line.replace(/^\/\/ {0,3}/, '').trimEnd());
    const drawn = lines.join('\n').trim();
    expect(drawn).not.toBe('');
    expect(text).toContain(drawn);
  });
});

test('the README can be brought up to date from the command line', () => {
  const { status, stderr } = spawnSync(process.execPath, [join(ROOT, 'scripts/docs.ts'), '--check'], {
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: 'README.md is up to date\n' });
});
