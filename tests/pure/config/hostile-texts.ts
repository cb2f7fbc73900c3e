// Texts that are meant to hurt a parser: deep, many, or little that is written out to much.

export const TOO_DEEP = 'more than 32 levels of nesting';
const TOO_MANY_KEYS = 'more than 40000 keys, expected fewer';
const TOO_MANY_SIGNS = 'more than 135000 values, brackets and commas, expected fewer';
const TOO_MANY_LINES = 'more than 400000 lines, expected fewer';
const TOO_MANY_PIECES = 'more than 400000 pieces, expected fewer';

/** Nine of nine of nine ...: a list of 9^9 words. */
export const BOMB = [
  'a: &a ["lol","lol","lol","lol","lol","lol","lol","lol","lol"]',
  ...[...'bcdefghi'].map((name, i) => `${name}: &${name} [${new Array(9).fill(`*${'abcdefgh'[i]}`).join(',')}]`),
].join('\n');

export const CHAIN = `a0: &a0 [x]\n${Array.from({ length: 5000 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}]`).join('\n')}`;

/** One mapping with so many keys. The library's own look for equal ones compares each with each. */
export function keys(count: number): string {
  return `{${Array.from({ length: count }, (_, i) => `k${i}: 1`).join(', ')}}`;
}

/** With what is said of each, and whether that is known before the library has made anything of it. */
export const HOSTILE: readonly (readonly [name: string, text: string, message: string, isRefusedInMidText: boolean])[] =
  [
    ['an alias bomb', BOMB, 'found more than 100000 values, with every alias written out, expected fewer', false],
    ['a long chain of aliases', CHAIN, TOO_DEEP, false],
    ['10,000 open brackets', '['.repeat(10_000), TOO_DEEP, true],
    ['10,000 nested lists', '['.repeat(10_000) + ']'.repeat(10_000), TOO_DEEP, true],
    ['10,000 nested mappings', '{"a":'.repeat(10_000), TOO_DEEP, true],
    ['lists in one line', '- '.repeat(10_000), TOO_DEEP, true],
    ['explicit keys', '? '.repeat(10_000), TOO_DEEP, true],
    ['indentation', Array.from({ length: 1000 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'), TOO_DEEP, true],
    ['200,000 items', '- a\n'.repeat(200_000), TOO_MANY_SIGNS, true],
    ['60,000 keys', keys(60_000), TOO_MANY_KEYS, true],
    [
      '100,000 keys, a line each',
      Array.from({ length: 100_000 }, (_, i) => `k${i}: 1\n`).join(''),
      TOO_MANY_KEYS,
      true,
    ],
    ['250,000 documents', '---\n'.repeat(250_000), TOO_MANY_SIGNS, true],
    ['350,000 comments', '#\n'.repeat(350_000).concat('a: 1'), TOO_MANY_PIECES, true],
    ['half a million lines of one text', 'a\n'.repeat(500_000), TOO_MANY_LINES, true],
    ['a megabyte of quotes', '"'.repeat(1_000_000), TOO_MANY_SIGNS, true],
    ['a megabyte of colons', ':'.repeat(1_000_000), 'broken YAML', false],
  ];
