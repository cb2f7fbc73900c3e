// Text that is no configuration at all: broken syntax, wrong encodings, and what is meant to hurt a parser. How long the
// worst of it takes: tests/clock/config/hostile-text.test.ts.

import { describe, expect, test } from 'vitest';
import { Composer, type Document, LineCounter, Parser, visit } from 'yaml';
import { LEXEMES_MAX, NESTING_MAX, VALUES_MAX } from '../../../core/config/limits.ts';
import { readDocument } from '../../../core/config/yaml-document.ts';
import { readTree } from '../../../core/config/yaml-tree.ts';
import { BOMB, CHAIN, HOSTILE, keys, TOO_DEEP } from './hostile-texts.ts';
import { errorLines, onlyError } from './support.ts';

describe('an empty file', () => {
  test.each(['', ' \n\n', '# only a comment\n', '---\n', '\uFEFF', '\r\n', '---\n...\n', 'null'])('%j', (text) => {
    expect(onlyError(text)).toBe(
      '1:1: found nothing: the file is empty, expected nodebalancers: a list of nodebalancers',
    );
  });
});

describe('broken YAML', () => {
  test('an unclosed quote is reported where it opens', () => {
    expect(onlyError('nodebalancers:\n  - label: "web\n    configs: []\n')).toContain(
      '2:12: found broken YAML (Missing closing "quote)',
    );
  });

  test('a tab in the indentation', () => {
    expect(onlyError('nodebalancers:\n\t- label: x\n')).toBe(
      '2:1: found broken YAML (Tabs are not allowed as indentation), expected spaces',
    );
  });

  test('every broken line is reported, once', () => {
    const lines = errorLines('nodebalancers: [\n  {label: web\nfoo: }\nbar: "x" y\nbaz: @\n');
    expect(lines.map((line) => line.split(':')[1])).toEqual(['3', '4', '5']);
  });

  test('several documents', () => {
    expect(onlyError('nodebalancers: []\n---\na: 1\n---\nb: 1\n')).toBe(
      '2:1: found a second document ("---"), expected one document in a file',
    );
  });

  test.each(['!!seq []', '!foo []', '!!js/function []'])('the tag of %s is refused', (value) => {
    expect(onlyError(`nodebalancers: ${value}\n`)).toContain(
      `nodebalancers: found the tag "${value.split(' ')[0]}", expected`,
    );
  });

  test('YAML 1.1 is refused: it reads yes and 017 differently', () => {
    expect(onlyError('%YAML 1.1\n---\nnodebalancers: []\n')).toBe(
      '1:1: found YAML 1.1, expected YAML 1.2 (or no directive)',
    );
    expect(errorLines('%YAML 1.2\n---\nnodebalancers: []\n')).toEqual([]);
  });

  test('aliases without an anchor, and inside their own value', () => {
    expect(onlyError('nodebalancers: *pool')).toContain('found the alias "*pool", expected an anchor "&pool" above it');
    expect(onlyError('nodebalancers: &x [*x]')).toContain('nodebalancers[0]: found the alias "*x" inside the value');
  });
});

describe('broken JSON in a .json file', () => {
  test.each([
    ['{"nodebalancers": [}', '1:20: found broken JSON at "}", expected a value or "]"'],
    ['{"nodebalancers": [],}', '1:22: found broken JSON at "}", expected a key in double quotes'],
    ['{"nodebalancers": [],\n "a": }', '2:7: found broken JSON at "}", expected a value'],
    ['{"nodebalancers": []', '1:21: found the end of the file, expected "," or "}"'],
    ['{"nodebalancers": [1', '1:21: found the end of the file, expected "," or "]"'],
    ['{"nodebalancers": []} x', '1:23: found broken JSON at "x", expected the end of the file'],
    ["{'nodebalancers': []}", `1:2: found broken JSON at "'", expected a key in double quotes or "}"`],
    ['{"a" 1}', '1:6: found broken JSON at "1", expected ":"'],
    ['{"a": 08}', '1:7: found broken JSON at "08", expected a value'],
    ['{"a": NaN}', '1:7: found broken JSON at "NaN", expected a value'],
    ['{"a": tru}', '1:7: found broken JSON at "tru", expected a value'],
    ['{"a": "x\ny"}', '1:7: found broken JSON at "\\"x", expected a value'],
    ['{"a": "\\x"}', '1:7: found broken JSON at "\\"\\\\x\\"", expected a value'],
    ['[1 2]', '1:4: found broken JSON at "2", expected "," or "]"'],
    ['# a comment\n{}', '1:1: found broken JSON at "#", expected a value'],
    ['nodebalancers: []', '1:1: found broken JSON at "nodebalancers", expected a value'],
    ['[}', '1:2: found broken JSON at "}", expected a value or "]"'],
    ['{]', '1:2: found broken JSON at "]", expected a key in double quotes or "}"'],
    ['{"a":1]', '1:7: found broken JSON at "]", expected "," or "}"'],
    [',', '1:1: found broken JSON at ",", expected a value'],
  ])('%s', (text, message) => {
    expect(onlyError(text, 'c.json')).toBe(message);
  });

  test('is allowed where YAML allows it, in a .yaml file', () => {
    expect(errorLines('{"nodebalancers": [],}')).toEqual([]);
  });

  test('tabs and escapes of JSON are read', () => {
    expect(errorLines('{\n\t"nodebalancers":[\n\t\t{"label":"w\\u0065b"}\n\t]\n}', 'C.JSON')).toEqual([]);
  });
});

describe('no text', () => {
  test('binary: one error per line, no attempt to parse', () => {
    expect(errorLines('a: \0\0\0\nb: [\nc: \x07\x1b\n')).toEqual([
      'c.yaml:1:4: found a NUL byte (U+0000), expected text in UTF-8',
      'c.yaml:3:4: found a control character (U+0007), expected text in UTF-8',
    ]);
  });

  test('bytes that are not UTF-8', () => {
    expect(onlyError('nodebalancers: []\n# caf\ufffd')).toBe(
      '2:6: found bytes that are not UTF-8 (read as U+FFFD), expected text in UTF-8',
    );
  });
});

describe('what would hurt is refused before it does', () => {
  test.each(HOSTILE)('%s', (_name, text, message, isRefusedInMidText) => {
    const counts = countPieces(() => expect(onlyError(text)).toContain(message));
    // The library alone takes minutes for some of them: it is given no more pieces than the limit, and where there were
    // more, or too deep ones, it is not asked what they mean.
    expect(counts.pieces).toBeLessThanOrEqual(LEXEMES_MAX);
    expect(counts.documents).toBe(isRefusedInMidText ? 0 : 1);
    // Of what is too much the parser sees nothing at all.
    if (message.startsWith('more than') && message !== TOO_DEEP) expect(counts.pieces).toBe(0);
    if (isRefusedInMidText && message === TOO_DEEP) expect(counts.pieces).toBeLessThan(40 * NESTING_MAX);
  });

  test.each([
    ['an alias bomb', BOMB],
    ['a long chain of aliases', CHAIN],
  ])('%s is not written out beyond the limit', (_name, text) => {
    const read = readDocument(text, new LineCounter());
    if (!('document' in read) || read.document === undefined) throw new Error('it is a document');
    const count = countReads(read.document);
    expect(readTree(read.document).faults.shown).toHaveLength(1);
    expect(count.reads).toBeGreaterThan(0);
    // Each value is read where it stands, and a key once more.
    expect(count.reads).toBeLessThanOrEqual(3 * VALUES_MAX);
  });

  test.each([
    ['keys that are all different', keys(20_000)],
    ['keys that are all the same', 'a: 1\n'.repeat(20_000)],
    ['unknown keys as long as a file', `${'a'.repeat(1000)}: 1\n`.repeat(1000)],
    ['broken lines', 'a: "b" c\n'.repeat(20_000)],
  ])('%s: only the first 100 errors and the number of the rest', (_name, text) => {
    const errors = errorLines(text);
    expect(errors).toHaveLength(101);
    expect(errors.at(-1)).toMatch(/^c\.yaml: and \d+ more$/);
  });
});

/** What the library is given to read meanwhile: pieces of text, and documents to make of them. */
function countPieces(action: () => void): { pieces: number; documents: number } {
  const counts = { pieces: 0, documents: 0 };
  const { next } = Parser.prototype;
  const { compose } = Composer.prototype;
  // Not with a spy of Vitest's, which would keep what each of these calls was given.
  Parser.prototype.next = function (source) {
    counts.pieces++;
    return next.call(this, source);
  };
  Composer.prototype.compose = function (...args) {
    counts.documents++;
    return compose.apply(this, args);
  };
  try {
    action();
  } finally {
    Parser.prototype.next = next;
    Composer.prototype.compose = compose;
  }
  return counts;
}

/** How often from now on somebody asks a value of the document where it stands. */
function countReads(document: Document.Parsed): { readonly reads: number } {
  const count = { reads: 0 };
  visit(document, {
    Node: (_key, node) => {
      const { range } = node;
      Object.defineProperty(node, 'range', {
        get: () => {
          count.reads++;
          return range;
        },
      });
    },
  });
  return count;
}
