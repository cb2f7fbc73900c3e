// What the schema cannot say: values that contradict each other, and values that may be used only once in a file, a
// nodebalancer or a frontend. Rules look at a draft, so that they apply to what is good even where something else is bad.

import type { ConfigDraft, FrontendDraft, NodeBalancerDraft } from './draft.ts';
import { FRONTENDS_MAX, NODES_MAX } from './limits.ts';
import { listenerProblems } from './listener-rules.ts';
import { addressKey } from './node-address.ts';
import { type Path, type Problem, quote } from './problem.ts';

/** What clients of the Linode API say when a check lacks what it looks at. */
const NEEDED = {
  check_path: 'An HTTP path is required.',
  check_body: 'An HTTP body regex is required.',
} as const;

/** @param isGiven whether the file says something at a path (else the draft holds a default there) */
export function ruleProblems(draft: ConfigDraft, isGiven: (path: Path) => boolean): Problem[] {
  const nodebalancers = draft.nodebalancers ?? [];
  return [
    ...repeated(nodebalancers, ['nodebalancers'], 'label', 'a label of its own'),
    ...listenerProblems(nodebalancers),
    ...totals(nodebalancers),
    ...nodebalancers.flatMap((nodebalancer, i) =>
      (nodebalancer.configs ?? []).flatMap((frontend, j) =>
        frontendProblems(frontend, ['nodebalancers', i, 'configs', j], isGiven),
      ),
    ),
  ];
}

function frontendProblems(frontend: FrontendDraft, path: Path, isGiven: (path: Path) => boolean): Problem[] {
  const nodes = frontend.nodes ?? [];
  return [
    ...checkTimes(frontend, path, isGiven),
    ...checkNeeds(frontend, path),
    ...checksumNeeds(frontend, path),
    // A label is for people, and those who cut names to its length make the same one twice: see `warnings.ts`.
    ...repeated(nodes, [...path, 'nodes'], 'address', 'an address that no other node of the config has', addressKey),
  ];
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

function totals(nodebalancers: readonly NodeBalancerDraft[]): Problem[] {
  const frontends = nodebalancers.flatMap((nodebalancer) => nodebalancer.configs ?? []);
  const nodeCount = frontends.reduce((sum, frontend) => sum + (frontend.nodes?.length ?? 0), 0);
  return [
    ...tooMany(frontends.length, FRONTENDS_MAX, 'configs of all nodebalancers together'),
    ...tooMany(nodeCount, NODES_MAX, 'nodes of all configs together'),
  ];
}

function tooMany(count: number, max: number, what: string): Problem[] {
  if (count <= max) return [];
  return [{ path: ['nodebalancers'], at: 'value', found: `${count} ${what}`, expected: `at most ${max}` }];
}

function repeated<Key extends 'label' | 'address'>(
  items: readonly { readonly [K in Key]?: string }[],
  path: Path,
  key: Key,
  expected: string,
  identity: (text: string) => string = (text) => text,
): Problem[] {
  const firstAt = new Map<string, number>();
  const problems: Problem[] = [];
  for (const [index, item] of items.entries()) {
    const text = item[key];
    if (text === undefined) continue;
    const first = firstAt.get(identity(text));
    if (first === undefined) {
      firstAt.set(identity(text), index);
      continue;
    }
    const also = [...path, first, key];
    problems.push({ path: [...path, index, key], at: 'value', found: `${key} ${quote(text)}`, also, expected });
  }
  return problems;
}
