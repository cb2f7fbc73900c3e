// The pictures: well-formed SVG in both themes with everything that a reader needs, whatever the run has or has not.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ninesOf } from '../../../bench/charts/latency.ts';
import { logTicks, spreadApart } from '../../../bench/charts/layout.ts';
import { picturesOf } from '../../../bench/charts/pictures.ts';
import { renderPictures } from '../../../bench/charts/render.ts';
import { PICTURE_WIDTH, stylesOf, THEMES } from '../../../bench/charts/theme.ts';
import { sampleReport } from './sample-report.ts';

const report = sampleReport();
const files = new Map((await renderPictures(report)).map(({ path, text }) => [path, text]));
const NAMES = ['cost', 'latency-requests', 'latency-connections', 'latency-churn', 'memory'];

/** The first thing that is wrong with a text as XML; undefined when nothing is. Enough for what a renderer writes. */
function problemOf(xml: string): string | undefined {
  const open: string[] = [];
  const rest = xml.replace(
    /<(\/?)([\w:-]+)((?:\s+[\w:-]+="[^"<&]*(?:&\w+;[^"<&]*)*")*)\s*(\/?)>/g,
    (_, close, name, attributes, empty) => {
      const names = [...String(attributes).matchAll(/\s([\w:-]+)=/g)].map((match) => match[1]);
      if (new Set(names).size !== names.length) open.push(`an attribute twice in ${name}`);
      if (close === '/') {
        if (open.pop() !== name) open.push(`</${name}> without its start`);
      } else if (empty !== '/') open.push(name);
      return '';
    },
  );
  if (open.length > 0) return open.join(', ');
  return /<|&(?!(amp|lt|gt|quot|apos|#\d+);)/.test(rest) ? `left over: ${rest.trim().slice(0, 100)}` : undefined;
}

/** All texts of a picture, in its order. */
function wordsOf(svg: string): string[] {
  return [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map((match) => (match[1] ?? '').replaceAll('&amp;', '&'));
}

function svgOf(name: string, theme = 'light'): string {
  return files.get(`bench/pictures/${name}-${theme}.svg`) ?? '';
}

test('the check for XML sees what is wrong', () => {
  expect(problemOf('<a b="1"><c/>x &amp; y</a>')).toBeUndefined();
  for (const wrong of ['<a>', '<a></b>', '<a b="1" b="2"/>', '<a>x & y</a>', '<a b=1/>']) {
    expect(problemOf(wrong), wrong).toBeDefined();
  }
});

test('every picture of the run is there in every theme, and no other', () => {
  expect([...files.keys()]).toEqual(
    NAMES.flatMap((name) => [`bench/pictures/${name}-light.svg`, `bench/pictures/${name}-dark.svg`]),
  );
});

describe.each([...files])('%s', (_path, svg) => {
  test('is well-formed', () => {
    expect(svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
    expect(problemOf(svg)).toBeUndefined();
  });

  test('has only numbers that are numbers', () => {
    expect(svg).not.toMatch(/NaN|Infinity|undefined|null/);
  });

  test('is as wide as the page, on no ground of its own, and names no font that may be missing', () => {
    expect(svg).toContain(`width="${PICTURE_WIDTH}"`);
    // Vega leaves a transparent background out, or draws it as such.
    expect(svg).not.toMatch(/<rect[^>]*fill="(?!none|transparent)[^"]*"/);
    expect(new Set(svg.match(/font-family="[^"]*"/g))).toEqual(new Set(['font-family="system-ui, sans-serif"']));
  });

  test('names every contender', () => {
    const words = wordsOf(svg).join('\n');
    for (const name of Object.keys(report.contenders)) expect(words).toContain(name);
  });
});

test('light and dark say the same in other colours', () => {
  for (const name of NAMES) {
    expect(wordsOf(svgOf(name, 'dark'))).toEqual(wordsOf(svgOf(name, 'light')));
    for (const theme of THEMES) expect(svgOf(name, theme.name)).toContain(theme.subject);
  }
});

test('axes have titles with units', () => {
  expect(wordsOf(svgOf('latency-requests'))).toEqual(
    expect.arrayContaining([
      'latency, us',
      'share of requests answered within that latency',
      '50 %',
      '99 %',
      '99.99 %',
    ]),
  );
  expect(wordsOf(svgOf('latency-churn'))).toContain('latency, ms');
  expect(wordsOf(svgOf('memory'))).toEqual(expect.arrayContaining(['memory, MiB', 'idle connections', '5,000']));
  expect(wordsOf(svgOf('cost'))).toEqual(expect.arrayContaining(['CPU time, us', 'CPU time, s/GB']));
});

test('titles of upright axes are inside of the picture', () => {
  for (const name of NAMES.filter((it) => it !== 'cost')) {
    const left = Number(/<g [^>]*transform="translate\((\d+),/.exec(svgOf(name))?.[1]);
    const title = Number(/translate\((-[\d.]+),[\d.]+\) rotate\(-90\)/.exec(svgOf(name))?.[1]);
    // The text stands on this line, so all of its height lies to the left of it.
    expect(left + title, name).toBeGreaterThan(14);
  }
});

test('bars carry their figures, begin at zero, and stand for the greatest number of streams', () => {
  const words = wordsOf(svgOf('cost'));
  expect(words).toEqual(expect.arrayContaining(['89.7 own', '182 whole box', 'Per GB to the client, 8 streams']));
  expect(words.filter((word) => word === '0')).toHaveLength(4);
});

describe('a run with less', () => {
  let warnings: unknown[][];
  beforeEach(() => {
    warnings = [];
    vi.spyOn(console, 'warn').mockImplementation((...words) => {
      warnings.push(words);
    });
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  test('has fewer pictures, and the library finds nothing to complain about', async () => {
    const part = { ...report, scenarios: report.scenarios.filter(({ name }) => name === 'new' || name === 'idle') };
    const made = await renderPictures(part);
    expect(made.map(({ path }) => path)).toEqual([
      'bench/pictures/cost-light.svg',
      'bench/pictures/cost-dark.svg',
      'bench/pictures/memory-light.svg',
      'bench/pictures/memory-dark.svg',
    ]);
    for (const { text } of made) expect(problemOf(text)).toBeUndefined();
    expect(warnings).toEqual([]);
  });

  test('of scenarios has no pictures at all', () => {
    expect(picturesOf({ ...report, scenarios: [] })).toEqual([]);
  });

  test('of contenders draws those', async () => {
    const [balancer] = Object.entries(report.contenders);
    const alone = { ...report, contenders: Object.fromEntries(balancer === undefined ? [] : [balancer]) };
    for (const { text } of await renderPictures(alone)) {
      expect(problemOf(text)).toBeUndefined();
      expect(wordsOf(text).join('\n')).not.toContain('haproxy');
    }
    expect(warnings).toEqual([]);
  });
});

describe('layout', () => {
  test('logarithmic ticks are 1, 2 and 5, around all values', () => {
    expect(logTicks([3, 40])).toEqual([2, 5, 10, 20, 50]);
    expect(logTicks([0.001, 0.2])).toEqual([0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2]);
    expect(logTicks([7])).toEqual([5, 10]);
    expect(logTicks([10])).toEqual([10, 20]);
  });

  test('labels keep their distance and their order, and stay inside', () => {
    expect(spreadApart([50, 51, 10], 10, 0, 100)).toEqual([50, 60, 10]);
    expect(spreadApart([99, 98], 10, 0, 100)).toEqual([100, 90]);
    expect(spreadApart([5, 5, 5], 60, 0, 100)).toEqual([0, 40, 100]);
  });

  test('each further nine is one step', () => {
    for (const [nines, percentile] of [0, 90, 99, 99.9].entries()) expect(ninesOf(percentile)).toBeCloseTo(nines, 9);
  });
});

test('a peer has the same colour in every picture, ours the strong one, and no two of four are alike', () => {
  for (const theme of THEMES) {
    const styles = stylesOf(['balancer', 'haproxy', 'nginx', 'node'], 'balancer', theme);
    expect(styles[0]).toMatchObject({ colour: theme.subject });
    expect(new Set(styles.map(({ colour }) => colour)).size).toBe(4);
  }
});
