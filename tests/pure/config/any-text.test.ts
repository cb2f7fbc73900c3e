// Whatever the text: no throw, and errors that point into it.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatConfigErrors } from '../../../core/config/format.ts';
import { parseConfig } from '../../../core/config/parse.ts';
import { validateConfig } from '../../../core/config/validate.ts';
import { holds } from '../../../testing/suite/property.ts';
import { arbitraryConfig, configOf } from './support.ts';

const EXAMPLE = readFileSync(join(import.meta.dirname, '../../../examples/balancer.yaml'), 'utf8');

function checkPlaces(text: string, file: string): void {
  const parsed = parseConfig(text, file);
  const lines = text.replace(/^\uFEFF/, '').split('\n');
  const places = 'errors' in parsed ? parsed.errors : parsed.warnings;
  if ('errors' in parsed) {
    expect(parsed.errors.length).toBeGreaterThan(0);
    // One line each, whatever they quote.
    expect(formatConfigErrors(parsed.errors).split('\n')).toHaveLength(parsed.errors.length);
  }
  for (const { line, col } of places) {
    expect(line).toBeGreaterThanOrEqual(1);
    expect(line).toBeLessThanOrEqual(lines.length);
    expect(col).toBeGreaterThanOrEqual(1);
    expect(col).toBeLessThanOrEqual((lines[line - 1] ?? '').length + 1);
  }
}

const fileName = fc.constantFrom('c.yaml', 'c.json');
const piece = fc.constantFrom(
  ...[
    'nodebalancers',
    'label',
    'configs',
    'port',
    'nodes',
    'address',
    'weight',
    ': ',
    ':',
    '- ',
    '\n',
    '\n  ',
    '\n    ',
  ],
  ...[
    '{',
    '}',
    '[',
    ']',
    ',',
    '"',
    "'",
    '\t',
    '\r\n',
    '&a ',
    '*a',
    '!!str ',
    '! ',
    '%YAML 1.1\n',
    '---\n',
    '...\n',
    '# x',
  ],
  ...[
    '80',
    '"80"',
    '0x50',
    'null',
    '~',
    'true',
    '.nan',
    '1e400',
    '|\n',
    '>-\n',
    '? ',
    '<<',
    '__proto__',
    '\0',
    '\ufffd',
    '\uFEFF',
  ],
);

test('arbitrary text', () => {
  holds(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), fileName, checkPlaces), { numRuns: 2000 });
});

test('arbitrary sequences of what YAML is made of', () => {
  const text = fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join(''));
  holds(fc.property(text, fileName, checkPlaces), { numRuns: 5000 });
});

test('mutations of a valid file', () => {
  const edit = fc.record({
    at: fc.integer({ min: 0, max: EXAMPLE.length }),
    remove: fc.integer({ min: 0, max: 30 }),
    insert: fc.oneof(piece, fc.string({ maxLength: 5 })),
  });
  const mutated = fc
    .array(edit, { minLength: 1, maxLength: 4 })
    .map((edits) =>
      edits.reduce((text, { at, remove, insert }) => text.slice(0, at) + insert + text.slice(at + remove), EXAMPLE),
    );
  holds(
    fc.property(mutated, (text) => checkPlaces(text, 'c.yaml')),
    { numRuns: 1000 },
  );
});

test('any value is a configuration or has problems', () => {
  const field = fc.oneof(
    fc.jsonValue({ maxDepth: 1 }),
    fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, undefined, -0),
  );
  const record = fc.dictionary(
    fc.constantFrom('label', 'ipv4', 'ipv6', 'port', 'nodes', 'configs', 'address', '__proto__', 'check_timeout', 'x'),
    field,
  );
  const value = fc.oneof(
    fc.anything({ maxDepth: 2 }),
    fc.record({
      nodebalancers: fc.array(
        fc.record({
          label: field,
          ipv4: field,
          configs: fc.array(fc.oneof(record, fc.record({ port: field, nodes: fc.array(record, { maxLength: 3 }) }))),
        }),
      ),
    }),
  );
  holds(
    fc.property(value, (input) => {
      const validated = validateConfig(input);
      expect('config' in validated || validated.problems.shown.length > 0).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test('two readers of IPv6 addresses agree', () => {
  // The walker and the schema library judge them apart; where they differed, a valid file would end in an assertion.
  const text = fc.oneof(
    fc.ipV6(),
    fc.stringMatching(/^[0-9a-f:.]{0,30}$/),
    fc.stringMatching(/^(::)?([0-9a-f]{0,5}:){0,8}(1.2.3.4)?$/),
  );
  holds(
    fc.property(text, (ipv6) => {
      expect(() => validateConfig({ nodebalancers: [{ label: 'web', ipv6 }] })).not.toThrow();
    }),
    { numRuns: 1000 },
  );
});

test('a configuration survives being written and read', () => {
  holds(
    fc.property(arbitraryConfig, fileName, (config, file) => {
      expect(configOf(JSON.stringify(config, null, 2), file)).toEqual(config);
    }),
  );
});

test('JSON is what JSON.parse takes', () => {
  const text = fc.oneof(
    fc.json(),
    fc
      .array(fc.constantFrom(...'{}[],:"\\', 'a', '"a"', '1', '-', '.', 'e5', '0', 'true', 'null', ' ', '\n'), {
        maxLength: 12,
      })
      .map((all) => all.join('')),
  );
  holds(
    fc.property(text, (json) => {
      const parsed = parseConfig(json, 'c.json');
      const broken =
        'errors' in parsed &&
        parsed.errors.some(({ found }) => /broken JSON|end of the file|file is empty/.test(found));
      expect(broken).toBe(!isJson(json) || json.trim() === 'null');
    }),
    { numRuns: 3000 },
  );
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
