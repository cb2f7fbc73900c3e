// A stored configuration that this version's rules refuse: another version wrote it. It is not damaged, and not put into force either;
// here are the words for that, with the rules, the places and the way out.

import type { OwnAddresses } from '../../core/config/own-ports.ts';
import { formatPath, type Path, type Problem, reasonOf } from '../../core/config/problem.ts';
import type { Inventory } from './inventory.ts';
import { problemsOf } from './inventory-check.ts';
import { type Revision, StoreError } from './store.ts';

const PROBLEMS_SHOWN = 20;

/** @throws StoreError when the revision must not be put into force */
export function refuseUnsound(revision: Revision): void {
  const refusal = describeRefusal(revision);
  if (refusal === undefined) return;
  throw new StoreError(
    `${refusal}\n` +
      'Nothing was changed, and nothing of it is in force. "balancer history" and "balancer rollback REVISION" go back to one that is ' +
      'accepted; or "balancer export > FILE", mend the file, "balancer apply -f FILE"; or run the version that has written it.',
  );
}

/** @param own what its nodes must not be, if it is to come into force here and now @returns undefined when there is nothing against it */
export function describeRefusal(
  { revision, time, author, inventory }: Revision,
  own?: OwnAddresses,
): string | undefined {
  const { shown, more } = problemsOf(inventory, own);
  if (shown.length === 0) return undefined;
  const lines = shown.slice(0, PROBLEMS_SHOWN).map((problem) => `  ${describeProblem(problem, inventory)}`);
  const others = shown.length - lines.length + more;
  return [
    `the stored configuration (revision ${revision}, of ${time}Z, by ${author}) is whole, but not accepted by this version:`,
    ...lines,
    ...(others === 0 ? [] : [`  and ${others} more`]),
  ].join('\n');
}

/** `nodebalancers[0].configs[0].port (web port 80): found …, expected …` */
function describeProblem(problem: Problem, inventory: Inventory): string {
  const { path, also } = problem;
  const reason = reasonOf(problem, also === undefined ? undefined : formatPath(also));
  const name = nameAt(inventory, path);
  return `${formatPath(path)}${name === '' ? '' : ` (${name})`}: ${reason}`;
}

/** `web port 80, node web-1`, as far as the path leads there. */
function nameAt({ nodebalancers }: Inventory, [, nodebalancerAt, , configAt, , nodeAt]: Path): string {
  const nodebalancer = nodebalancers[Number(nodebalancerAt)];
  const config = nodebalancer?.configs[Number(configAt)];
  const node = config?.nodes[Number(nodeAt)];
  return [
    nodebalancer === undefined ? '' : nodebalancer.label,
    config === undefined ? '' : ` port ${config.port}`,
    node === undefined ? '' : `, node ${node.label}`,
  ].join('');
}
