// What is allowed but probably not meant: configurations that forward nothing or to themselves, and settings without effect. Few and
// useful; a warning never stops a start. Positions are added in `parse.ts`.

import { type Config, type Frontend, FrontendSchema, type Node, type NodeBalancer } from './model.ts';
import type { OwnAddresses } from './own-ports.ts';
import { ownRemarks } from './own-rules.ts';
import { type Path, quote } from './problem.ts';

export interface Remark {
  readonly path: Path;
  readonly text: string;
}

export function remarksOn({ nodebalancers }: Config, own: OwnAddresses): Remark[] {
  if (nodebalancers.length === 0) return [{ path: ['nodebalancers'], text: 'no nodebalancers: nothing is served' }];
  return [
    ...nodebalancers.flatMap((nodebalancer, i) => nodebalancerRemarks(nodebalancer, ['nodebalancers', i])),
    ...ownRemarks(nodebalancers, own),
  ];
}

function nodebalancerRemarks(nodebalancer: NodeBalancer, path: Path): Remark[] {
  const { configs } = nodebalancer;
  if (configs.length === 0) return [{ path: [...path, 'configs'], text: 'no configs: no port is served' }];
  return configs.flatMap((frontend, j) => frontendRemarks(frontend, [...path, 'configs', j]));
}

function frontendRemarks(frontend: Frontend, path: Path): Remark[] {
  const [first] = frontend.nodes;
  if (first === undefined) return [{ path: [...path, 'nodes'], text: 'no nodes: every connection is refused' }];
  return [
    ...queueRemarks(frontend, path),
    ...labelRemarks(frontend, [...path, 'nodes']),
    ...modeRemarks(frontend, [...path, 'nodes']),
    ...shareRemarks(frontend, first, [...path, 'nodes']),
  ];
}

/** Nobody waits where every node takes whatever comes. */
function queueRemarks(frontend: Frontend, path: Path): Remark[] {
  if (frontend.nodes.some((node) => node.max_connections > 0)) return [];
  return (['queue_size', 'queue_timeout'] as const)
    .filter((key) => frontend[key] !== Reflect.get(FrontendSchema.properties[key], 'default'))
    .map((key) => ({
      path: [...path, key],
      text: `${key} ${frontend[key]} has no effect: no node of the config has max_connections`,
    }));
}

/** One for each label that several nodes have, at the second of them. */
function labelRemarks({ nodes }: Frontend, path: Path): Remark[] {
  const places = Map.groupBy(nodes.keys(), (i) => nodes[i]?.label ?? '');
  return [...places].flatMap(([label, [, second, ...more]]) => {
    if (second === undefined) return [];
    const count = more.length + 2;
    const text = `${count} nodes of the config have the label ${quote(label)}: only their addresses tell them apart`;
    return [{ path: [...path, second, 'label'], text }];
  });
}

function modeRemarks({ nodes, stickiness }: Frontend, path: Path): Remark[] {
  const takesNew = nodes.some((node) => node.mode === 'accept' || node.mode === 'backup');
  const draining = nodes.flatMap(({ mode }, i) => (mode === 'drain' ? [i] : []));
  const servesPinned = stickiness === 'table' && draining.length > 0;
  if (!takesNew) {
    const refused = servesPinned
      ? 'only clients that are pinned to a node are served'
      : 'every new connection is refused';
    return [{ path, text: `no node has mode accept or backup: ${refused}` }];
  }
  if (servesPinned) return [];
  return draining.map((i) => ({
    path: [...path, i, 'mode'],
    text: 'drain acts as reject: only stickiness table pins clients',
  }));
}

/** Settings of a node's share where shares do not decide. */
function shareRemarks({ nodes, algorithm }: Frontend, first: Node, path: Path): Remark[] {
  const starts = nodes.flatMap(({ slow_start: seconds }, i) => (seconds > 0 ? [{ i, seconds }] : []));
  const remarks = (algorithm === 'source' ? starts : []).map(({ i, seconds }) => ({
    path: [...path, i, 'slow_start'],
    text: `slow_start ${seconds} has no effect with algorithm source: clients keep to their node`,
  }));
  if (nodes.length > 1 || first.weight === 50) return remarks;
  return [...remarks, { path: [...path, 0, 'weight'], text: `weight ${first.weight} has no effect with one node` }];
}
