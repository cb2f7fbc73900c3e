// Text that is no configuration at all: broken syntax, wrong encodings, and what is meant to hurt a parser.

import { describe, expect, test } from 'vitest';
import { errorLines, errorsOf, onlyError } from './support.ts';

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

describe('what would hurt is refused quickly', () => {
  const bomb = [
    'a: &a ["lol","lol","lol","lol","lol","lol","lol","lol","lol"]',
    ...[...'bcdefghi'].map((name, i) => `${name}: &${name} [${new Array(9).fill(`*${'abcdefgh'[i]}`).join(',')}]`),
  ].join('\n');
  const chain = `a0: &a0 [x]\n${Array.from({ length: 5000 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}]`).join('\n')}`;
  const TOO_DEEP = 'more than 32 levels of nesting';

  test.each([
    ['an alias bomb', bomb, 'found more than 100000 values, with every alias written out, expected fewer'],
    ['a long chain of aliases', chain, TOO_DEEP],
    ['10,000 open brackets', '['.repeat(10_000), TOO_DEEP],
    ['10,000 nested lists', '['.repeat(10_000) + ']'.repeat(10_000), TOO_DEEP],
    ['10,000 nested mappings', '{"a":'.repeat(10_000), TOO_DEEP],
    ['lists in one line', '- '.repeat(10_000), TOO_DEEP],
    ['explicit keys', '? '.repeat(10_000), TOO_DEEP],
    ['indentation', Array.from({ length: 1000 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'), TOO_DEEP],
    ['200,000 items', '- a\n'.repeat(200_000), 'more than 400000 pieces'],
    ['60,000 keys', `{${Array.from({ length: 60_000 }, (_, i) => `k${i}: 1`).join(', ')}}`, 'more than 400000 pieces'],
    ['250,000 documents', '---\n'.repeat(250_000), 'more than 400000 pieces'],
    ['a megabyte of quotes', '"'.repeat(1_000_000), 'more than 400000 pieces'],
    ['a megabyte of colons', ':'.repeat(1_000_000), 'broken YAML'],
  ])('%s', (_name, text, message) => {
    const start = performance.now();
    expect(errorsOf(text)).toHaveLength(1);
    expect(onlyError(text)).toContain(message);
    // Twice, on a busy machine; the library alone takes minutes for some of them.
    expect(performance.now() - start).toBeLessThan(20_000);
  });

  test.each([
    ['keys that are all different', `{${Array.from({ length: 20_000 }, (_, i) => `k${i}: 1`).join(', ')}}`],
    ['keys that are all the same', 'a: 1\n'.repeat(20_000)],
    ['unknown keys as long as a file', `${'a'.repeat(1000)}: 1\n`.repeat(1000)],
    ['broken lines', 'a: "b" c\n'.repeat(20_000)],
  ])('%s: only the first 200 errors and the number of the rest', (_name, text) => {
    const errors = errorLines(text);
    expect(errors).toHaveLength(201);
    expect(errors.at(-1)).toMatch(/found \d+ more errors, expected none: mend these first$/);
  });
});
