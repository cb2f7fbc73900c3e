// The generated parts of the README: `node scripts/node.js scripts/docs.ts` writes them anew between their markers, and
// `-- --check` only says whether that is needed. What stands there comes from the product itself: its schema, its messages, its
// commands. It writes no prose and touches nothing outside the markers.

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { formatConfigErrors } from '../core/config/format.ts';
import { FrontendSchema, NodeBalancerSchema, NodeSchema } from '../core/config/model.ts';
import { parseConfig } from '../core/config/parse.ts';
import { describeOutcome, outcomeCodes } from '../core/session/outcome.ts';

const ROOT = resolve(import.meta.dirname, '..');
const README = join(ROOT, 'README.md');
const BALANCER = join(ROOT, 'bin/balancer');

/** Name of a generated part -> its text. */
const PARTS: Readonly<Record<string, () => string>> = {
  example: () => fenced('yaml', readFileSync(join(ROOT, 'examples/balancer.yaml'), 'utf8')),
  fields: fieldTables,
  errors: errorSample,
  environment: environmentTable,
  outcomes: outcomeTables,
};

/** The markers of a part, each on a line of its own. */
const MARKED = /(<!-- generated: (?<name>[\w-]+) -->\n)[\s\S]*?(<!-- \/generated -->)/g;

/** @returns the text with every generated part as it should be @throws when a part is unknown, missing or there twice */
export function withGeneratedParts(text: string): string {
  const seen: string[] = [];
  const result = text.replace(MARKED, (_whole, open: string, name: string, close: string) => {
    const part = PARTS[name];
    if (part === undefined) throw new Error(`the README has a generated part "${name}" that nobody makes`);
    seen.push(name);
    return `${open}\n${part().trim()}\n\n${close}`;
  });
  const wrong = Object.keys(PARTS).filter((name) => seen.filter((one) => one === name).length !== 1);
  if (wrong.length > 0) throw new Error(`not exactly once in the README: ${wrong.join(', ')}`);
  return result;
}

function fenced(language: string, text: string): string {
  return `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function code(text: string): string {
  return `\`${text}\``;
}

/** The keywords of the model's schemas that are shown. */
interface Shown {
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly type?: string;
  readonly 'x-expected'?: string;
  readonly anyOf?: readonly Shown[];
}

function fieldTables(): string {
  const levels: readonly [title: string, properties: Readonly<Record<string, Shown>>][] = [
    ['A nodebalancer: an entry of `nodebalancers`', NodeBalancerSchema.properties],
    ['A config: an entry of `configs`', FrontendSchema.properties],
    ['A node: an entry of `nodes`', NodeSchema.properties],
  ];
  return levels
    .map(([title, properties]) => {
      const rows = Object.entries(properties).map(([key, schema]) => [
        code(key),
        valuesOf(schema),
        schema.default === undefined ? 'required' : code(JSON.stringify(schema.default)),
        schema.description ?? '',
      ]);
      return `**${title}**\n\n${table(['key', 'value', 'default', 'meaning'], rows)}`;
    })
    .join('\n\n');
}

function valuesOf(schema: Shown): string {
  if (schema.anyOf !== undefined) return schema.anyOf.map(valuesOf).join(' or ');
  if (schema.enum !== undefined) return schema.enum.map(code).join(', ');
  if (schema['x-expected'] !== undefined) return schema['x-expected'];
  if (schema.type === 'integer') return `${schema.minimum} to ${schema.maximum}`;
  if (schema.type === 'boolean') return '`true`, `false`';
  return schema.type === 'array' ? 'a list' : (schema.type ?? '');
}

/** A file with the mistakes that people make, and what `balancer check` says about it. */
const BAD_FILE = `nodebalancers:
  - label: web
    configs:
      - port: "443"
        protocol: http
        proxyProtocol: v2
        nodes:
          - { label: web-1, address: "192.0.2.10" }
          - { label: web-2, address: "192.0.2.11:8080", wieght: 100 }
          - { label: web-3, address: "192.0.2.11:8080" }
`;

function errorSample(): string {
  const result = parseConfig(BAD_FILE, 'balancer.yaml');
  if (!('errors' in result)) throw new Error('the sample of a bad file is accepted');
  const command = '$ balancer check -f balancer.yaml';
  return `${fenced('yaml', BAD_FILE)}\n\n${fenced('text', `${command}\n${formatConfigErrors(result.errors)}`)}`;
}

/** Through the command, not the module behind it: what the README says is what the product answers. */
function environmentTable(): string {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('BALANCER_')));
  const output = execFileSync(BALANCER, ['env', '--json'], { env, encoding: 'utf8' });
  const rows: { name: string; default: string; meaning: string }[] = JSON.parse(output);
  return table(
    ['variable', 'default', 'meaning'],
    rows.map((row) => [code(row.name), row.default, row.meaning]),
  );
}

function outcomeTables(): string {
  const { who, phases } = outcomeCodes();
  const whoRows = who.map((letter) => [code(letter), describeOutcome(`${letter}-`)]);
  // A description is "who, where": here the second half alone.
  const phaseRows = phases
    .filter((letter) => letter !== '-')
    .map((letter) => [code(letter), describeOutcome(`C${letter}`).replace(/^.*, /, '')]);
  return [
    table(['first letter', 'who ended it'], whoRows),
    table(['second letter', 'in which phase'], [...phaseRows, ['`-`', 'in none: it had ended']]),
  ].join('\n\n');
}

if (import.meta.main) {
  const present = readFileSync(README, 'utf8');
  const wanted = withGeneratedParts(present);
  if (present === wanted) {
    process.stderr.write('README.md is up to date\n');
  } else if (process.argv.includes('--check')) {
    process.stderr.write('README.md is out of date: run "node scripts/node.js scripts/docs.ts"\n');
    process.exitCode = 1;
  } else {
    writeFileSync(README, wanted);
    process.stderr.write('README.md was brought up to date\n');
  }
}
