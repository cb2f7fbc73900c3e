// The one object of times that tests may replace: what it takes, and what it says to everything else.

import { expect, test } from 'vitest';
import { PACE, parsePace } from '../../../workers/pace.ts';

test('names what is to be different, and leaves the rest', () => {
  expect(parsePace('backlogMs=100, stopMs=60000')).toEqual({ pace: { ...PACE, backlogMs: 100, stopMs: 60_000 } });
});

test('every time of a production process is one that it takes', () => {
  const text = Object.entries(PACE).map(([name, ms]) => `${name}=${ms}`);
  expect(parsePace(text.join())).toEqual({ pace: PACE });
});

test.each([
  ['backlog=100', /^found "backlog=100", expected NAME=MILLISECONDS with one of watchMs, .*backlogMs/],
  ['toString=1', /NAME=MILLISECONDS/],
  ['', /^found "", expected NAME=MILLISECONDS/],
  ['stopMs', /^found "stopMs", expected stopMs= and a whole number from 1 to 600000$/],
  ['stopMs=1=2', /from 1 to 600000$/],
  ['stopMs 1', /from 1 to 600000$/],
  ['stopMs=0', /from 1 to 600000$/],
  ['stopMs=600001', /from 1 to 600000$/],
  ['stopMs=1.5', /from 1 to 600000$/],
  ['stopMs=-1', /from 1 to 600000$/],
  ['watchMs=251', /from 1 to 250$/],
  ['heartbeatMs=999', /from 1000 to 600000$/],
])('%j is refused', (text, problem) => {
  expect(parsePace(text)).toEqual({ problems: [expect.stringMatching(problem)] });
});

test('all that is wrong is told at once, a name that comes twice too', () => {
  expect(parsePace('stopMs=1,stopMs=2,endMs=x')).toEqual({
    problems: [
      'found "stopMs=2", expected each name once',
      'found "endMs=x", expected endMs= and a whole number from 1 to 600000',
    ],
  });
});
