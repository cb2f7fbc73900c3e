// The benchmark's command line: what it means, and that everything that is wrong with it is said at once.

import { expect, test } from 'vitest';
import { parseOptions, UsageError } from '../../../bench/options.ts';

const SCENARIOS = ['new', 'keepalive', 'bulk'];
const PEERS = ['haproxy', 'nginx', 'node'];

const parse = (line: string) => parseOptions(line === '' ? [] : line.split(' '), SCENARIOS, PEERS);

function problemsOf(line: string): string[] {
  try {
    parse(line);
  } catch (error) {
    if (error instanceof UsageError) return error.message.split('\n');
    throw error;
  }
  return [];
}

test('without options everything is measured, seven rounds of it', () => {
  expect(parse('')).toMatchObject({
    verb: 'run',
    scale: { name: 'full', rounds: 7 },
    scenarios: SCENARIOS,
    peers: PEERS,
    congestion: 'cubic',
    json: false,
    record: false,
    help: false,
  });
});

test('--quick is the scale of that name, with one round; --rounds says otherwise', () => {
  expect(parse('--quick').scale).toEqual(parse('--scale quick').scale);
  expect(parse('--quick').scale.rounds).toBe(1);
  expect(parse('--quick --rounds 6').scale).toEqual({ ...parse('--quick').scale, rounds: 6 });
});

test('a quick run has the plain relay only where it is named', () => {
  expect(parse('--quick').peers).toEqual(PEERS.filter((name) => name !== 'node'));
  expect(parse('--quick --peers node,nginx').peers).toEqual(['nginx', 'node']);
});

test('what is chosen keeps the order in which it is measured', () => {
  expect(parse('--only bulk,new').scenarios).toEqual(['new', 'bulk']);
  expect(parse('--peers node,haproxy').peers).toEqual(['haproxy', 'node']);
  expect(parse('--peers none').peers).toEqual([]);
});

test('a comparison with another revision has peers only where they are named', () => {
  expect(parse('--compare HEAD~1')).toMatchObject({ compare: 'HEAD~1', peers: [] });
  expect(parse('--compare HEAD~1 --peers nginx')).toMatchObject({ compare: 'HEAD~1', peers: ['nginx'] });
});

test('profile is a verb, and stands anywhere', () => {
  expect(parse('profile --only new')).toMatchObject({ verb: 'profile', scenarios: ['new'] });
  expect(parse('--only new profile')).toMatchObject({ verb: 'profile', scenarios: ['new'] });
});

test('all problems of a command line are said at once, with a guess where there is one', () => {
  expect(
    problemsOf('porfile --rouns 3 --rounds 0 --only nwe,bulk,x --peers haproxi --quick=yes --json --scale'),
  ).toEqual([
    'unknown command "porfile", did you mean "profile"?',
    'unknown option --rouns, did you mean "--rounds"?',
    '--quick: takes no value, got "yes"',
    '--scale: needs a value',
    '--rounds 0: expected a whole number, 1 to 99',
    '--only nwe: unknown scenario, did you mean "new"?; expected new, keepalive, bulk',
    '--only x: unknown scenario; expected new, keepalive, bulk',
    '--peers haproxi: unknown peer, did you mean "haproxy"?; expected haproxy, nginx, node',
  ]);
});

test.each(['0', '-1', '1.5', 'NaN', '1e1', '100', '', ' 3'])('--rounds=%s is refused', (rounds) => {
  expect(() => parseOptions([`--rounds=${rounds}`], SCENARIOS, PEERS)).toThrow(UsageError);
});

test('an option that lost its value does not swallow the next one', () => {
  expect(problemsOf('--only --json')).toEqual(['--only: needs a value']);
  expect(problemsOf('--compare --peers none')).toEqual(['--compare: needs a value']);
});

test('a list that names nothing, or none among others, is refused', () => {
  expect(problemsOf('--only ,')).toEqual(['--only ,: names no scenario']);
  expect(problemsOf('--peers none,nginx')).toEqual(['--peers none,nginx: "none" stands alone']);
});

test('what contradicts itself is refused', () => {
  expect(problemsOf('--quick --scale full --record --compare HEAD')).toEqual([
    '--quick and --scale: give one of them',
    '--record and --compare: a comparison of revisions is not kept',
  ]);
  expect(problemsOf('profile --record --json')).toEqual(['profile and --record: a profile is not kept']);
});

test('who asks for help gets it, whatever else is wrong', () => {
  expect(parse('--help --nonsense')).toMatchObject({ help: true });
  expect(parse('-h')).toMatchObject({ help: true });
});
