// A configuration draft in which the one thing that a request is about comes last in every list: the rules blame the later of two
// things that collide, and the mistake is the request's.

import type { Inventory, StoredFrontend, StoredNodeBalancer } from '../store/inventory.ts';
import { configOf } from '../store/inventory.ts';
import type { ConfigDraft, Focus, FrontendDraft, NodeBalancerDraft } from './request-check.ts';

interface DraftAndFocus {
  readonly draft: ConfigDraft;
  readonly focus: Focus;
}

type Fields = Readonly<Record<string, unknown>>;

/** @param id of the nodebalancer that the draft takes the place of; undefined for a new one */
export function nodebalancerDraft(inventory: Inventory, id: number | undefined, draft: Fields): DraftAndFocus {
  const others = inventory.nodebalancers.filter((nodebalancer) => nodebalancer.id !== id);
  const { nodebalancers } = configOf({ ...inventory, nodebalancers: others });
  return {
    // The checked body is a draft: the schema made it one.
    draft: { nodebalancers: [...nodebalancers, draft as NodeBalancerDraft] } as ConfigDraft,
    focus: { nodebalancer: others.length, within: [], stored: configOf(inventory) },
  };
}

/** @param config the config that the draft takes the place of; undefined for a new one */
export function configDraft(
  inventory: Inventory,
  nodebalancer: StoredNodeBalancer,
  config: StoredFrontend | undefined,
  draft: Fields,
): DraftAndFocus {
  const others = nodebalancer.configs.filter(({ id }) => id !== config?.id);
  const { configs, ...own } = plain({ ...nodebalancer, configs: others });
  const whole = nodebalancerDraft(inventory, nodebalancer.id, {
    ...own,
    configs: [...configs, draft as FrontendDraft],
  });
  return { draft: whole.draft, focus: { ...whole.focus, within: ['configs', others.length] } };
}

/** @param nodeId of the node that the draft takes the place of; undefined for a new one */
export function nodeDraft(
  inventory: Inventory,
  nodebalancer: StoredNodeBalancer,
  config: StoredFrontend,
  nodeId: number | undefined,
  draft: Fields,
): DraftAndFocus {
  const others = config.nodes.filter(({ id }) => id !== nodeId).map(({ id, ...node }) => node);
  const { id, nodes, ...own } = config;
  const whole = configDraft(inventory, nodebalancer, config, { ...own, nodes: [...others, draft] });
  return { draft: whole.draft, focus: { ...whole.focus, within: [...whole.focus.within, 'nodes', others.length] } };
}

function plain(nodebalancer: StoredNodeBalancer) {
  const [first] = configOf({ nextId: 1, nodebalancers: [nodebalancer] }).nodebalancers;
  if (first === undefined) throw new Error('one in, one out');
  return first;
}
