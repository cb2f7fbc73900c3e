// What the schema cannot say: values that contradict each other, and values that may be used only once in a file, a
// nodebalancer or a frontend. Rules look at a draft, so that they apply to what is good even where something else is bad.

import type { ConfigDraft, FrontendDraft, NodeBalancerDraft } from './draft.ts';
import { expressionSize, isLiteral } from './expression-size.ts';
import { EXPRESSIONS_COST_MAX, FRONTENDS_MAX, NODES_MAX } from './limits.ts';
import { judgeListeners } from './listener-rules.ts';
import { addressKey } from './node-address.ts';
import { type Path, type Problem, quote } from './problem.ts';
import type { ProblemList } from './problem-list.ts';

/** What clients of the Linode API say when a check lacks what it looks at. */
const NEEDED = {
  check_path: 'An HTTP path is required.',
  check_body: 'An HTTP body regex is required.',
} as const;

/** @param isGiven whether the file says something at a path (else the draft holds a default there). `problems` grows. */
export function judgeRules(draft: ConfigDraft, isGiven: (path: Path) => boolean, problems: ProblemList): void {
  const nodebalancers = draft.nodebalancers ?? [];
  repeated(nodebalancers, ['nodebalancers'], 'label', 'a label of its own', problems);
  judgeListeners(nodebalancers, problems);
  judgeTotals(nodebalancers, problems);
  for (const [i, nodebalancer] of nodebalancers.entries()) {
    for (const [j, frontend] of (nodebalancer.configs ?? []).entries()) {
      judgeFrontend(frontend, ['nodebalancers', i, 'configs', j], isGiven, problems);
    }
  }
}

function judgeFrontend(
  frontend: FrontendDraft,
  path: Path,
  isGiven: (path: Path) => boolean,
  problems: ProblemList,
): void {
  const { nodes = [] } = frontend;
  const found = [
    ...checkTimes(frontend, path, isGiven),
    ...checkNeeds(frontend, path),
    ...checksumNeeds(frontend, path),
  ];
  for (const problem of found) problems.add(() => problem);
  // A label is for people, and those who cut names to its length make the same one twice: see `warnings.ts`.
  if (nodes.length < 2) return;
  repeated(
    nodes,
    [...path, 'nodes'],
    'address',
    'an address that no other node of the config has',
    problems,
    addressKey,
  );
}

function checkTimes(frontend: FrontendDraft, path: Path, isGiven: (path: Path) => boolean): Problem[] {
  const { check_timeout: timeout, check_interval: interval } = frontend;
  if (timeout === undefined || interval === undefined || timeout < interval) return [];
  const timeoutPath = [...path, 'check_timeout'];
  if (isGiven(timeoutPath) || !isGiven([...path, 'check_interval'])) {
    const expected = `less than check_interval (${interval} s)`;
    return [{ path: timeoutPath, at: 'value', found: `${timeout} s`, expected }];
  }
  const expected = `more than check_timeout (${timeout} s)`;
  return [{ path: [...path, 'check_interval'], at: 'value', found: `${interval} s`, expected }];
}

function checkNeeds(frontend: FrontendDraft, path: Path): Problem[] {
  const { check, check_path: checkPath, check_body: checkBody } = frontend;
  const problems: Problem[] = [];
  const need = (key: keyof typeof NEEDED, expected: string) =>
    problems.push({ path: [...path, key], at: 'value', found: `no ${key}`, expected, sentence: NEEDED[key] });
  if ((check === 'http' || check === 'http_body') && checkPath === '') need('check_path', `a path for check ${check}`);
  if (check === 'http_body' && checkBody === '') need('check_body', 'a regular expression for check http_body');
  return problems;
}

/** One node with v2 is enough: the others simply have no checksum. What is bad and left out may have been v2. */
function checksumNeeds(frontend: FrontendDraft, path: Path): Problem[] {
  const { proxy_protocol: version, proxy_protocol_crc32c: hasChecksum, nodes } = frontend;
  if (hasChecksum !== true || version === undefined || version === 'v2' || nodes === undefined) return [];
  if (nodes.some((node) => node.proxy_protocol === undefined || node.proxy_protocol === 'v2')) return [];
  const found = `a checksum with proxy_protocol ${version}`;
  const expected = 'proxy_protocol v2, of the config or of a node';
  return [{ path: [...path, 'proxy_protocol_crc32c'], at: 'value', found, expected }];
}

function judgeTotals(nodebalancers: readonly NodeBalancerDraft[], problems: ProblemList): void {
  const frontends = nodebalancers.flatMap((nodebalancer) => nodebalancer.configs ?? []);
  const nodeCount = frontends.reduce((sum, frontend) => sum + (frontend.nodes?.length ?? 0), 0);
  const expressions = new Set(frontends.flatMap(({ check_body: text = '' }) => (isLiteral(text) ? [] : [text])));
  const cost = [...expressions].reduce((sum, text) => sum + expressionSize(text).cost, 0);
  const tooMuch = (found: string, count: number, max: number) => {
    if (count <= max) return;
    problems.add(() => ({ path: ['nodebalancers'], at: 'value', found, expected: `at most ${max}` }));
  };
  tooMuch(`${frontends.length} configs of all nodebalancers together`, frontends.length, FRONTENDS_MAX);
  tooMuch(`${nodeCount} nodes of all configs together`, nodeCount, NODES_MAX);
  tooMuch(`${cost} steps to read check_body of all configs together`, cost, EXPRESSIONS_COST_MAX);
}

function repeated<Key extends 'label' | 'address'>(
  items: readonly { readonly [K in Key]?: string }[],
  path: Path,
  key: Key,
  expected: string,
  problems: ProblemList,
  identity: (text: string) => string = (text) => text,
): void {
  const firstAt = new Map<string, number>();
  for (const [index, item] of items.entries()) {
    const text = item[key];
    if (text === undefined) continue;
    const id = identity(text);
    const first = firstAt.get(id);
    if (first === undefined) {
      firstAt.set(id, index);
      continue;
    }
    problems.add(() => {
      const also = [...path, first, key];
      return { path: [...path, index, key], at: 'value', found: `${key} ${quote(text)}`, also, expected };
    });
  }
}
