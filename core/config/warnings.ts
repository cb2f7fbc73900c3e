// What is allowed but probably not meant: configurations that forward nothing, and settings without effect. Few and
// useful; a warning never stops a start. Positions are added in `parse.ts`.

import type { Config, Frontend, NodeBalancer } from './model.ts';
import { type Path, quote } from './problem.ts';

export interface Remark {
  readonly path: Path;
  readonly text: string;
}

/** Settings that the model has and the balancer does not serve yet, by level. An entry goes when its feature comes. */
const NOT_SERVED: {
  readonly nodebalancer: readonly (keyof NodeBalancer)[];
  readonly frontend: readonly (keyof Frontend)[];
} = {
  nodebalancer: ['client_conn_throttle'],
  frontend: ['stickiness', 'check'],
};

/** The values that ask for nothing. */
const OFF: ReadonlySet<unknown> = new Set([0, 'none', false, null]);

export function remarksOn(config: Config): Remark[] {
  if (config.nodebalancers.length === 0)
    return [{ path: ['nodebalancers'], text: 'no nodebalancers: nothing is served' }];
  return config.nodebalancers.flatMap((nodebalancer, i) => nodebalancerRemarks(nodebalancer, ['nodebalancers', i]));
}

function nodebalancerRemarks(nodebalancer: NodeBalancer, path: Path): Remark[] {
  return [
    ...notServed(nodebalancer, NOT_SERVED.nodebalancer, path),
    ...(nodebalancer.configs.length === 0
      ? [{ path: [...path, 'configs'], text: 'no configs: no port is served' }]
      : []),
    ...nodebalancer.configs.flatMap((frontend, j) => frontendRemarks(frontend, [...path, 'configs', j])),
  ];
}

function frontendRemarks(frontend: Frontend, path: Path): Remark[] {
  return [...notServed(frontend, NOT_SERVED.frontend, path), ...poolRemarks(frontend, [...path, 'nodes'])];
}

function poolRemarks({ nodes }: Frontend, path: Path): Remark[] {
  const [first] = nodes;
  if (first === undefined) return [{ path, text: 'no nodes: every connection is refused' }];
  const takesNew = nodes.some((node) => node.mode === 'accept' || node.mode === 'backup');
  if (!takesNew) return [{ path, text: 'no node has mode accept or backup: every new connection is refused' }];
  // Only clients that stickiness has pinned to it may reach a draining node, and stickiness is not served yet.
  const draining = nodes.flatMap(({ mode }, i) => (mode === 'drain' ? [i] : []));
  if (draining.length > 0) {
    return draining.map((i) => ({
      path: [...path, i, 'mode'],
      text: 'drain acts as reject: stickiness is not served yet',
    }));
  }
  if (nodes.length > 1 || first.weight === 50) return [];
  return [{ path: [...path, 0, 'weight'], text: `weight ${first.weight} has no effect with one node` }];
}

function notServed<T extends NodeBalancer | Frontend>(
  part: T,
  keys: readonly (keyof T & string)[],
  path: Path,
): Remark[] {
  return keys
    .filter((key) => !OFF.has(part[key]))
    .map((key) => {
      const value = part[key];
      const shown = typeof value === 'string' ? quote(value) : String(value);
      return { path: [...path, key], text: `${key} ${shown} is not served yet, and has no effect` };
    });
}
