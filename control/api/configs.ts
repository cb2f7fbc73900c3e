// /nodebalancers/{id}/configs and below it, rebuild included

import type { FastifyInstance, FastifyReply } from 'fastify';
import { Type } from 'typebox';
import { NODES_PER_FRONTEND_MAX } from '../../core/config/limits.ts';
import type { Frontend } from '../../core/config/model.ts';
import type { OwnAddresses } from '../../core/config/own-ports.ts';
import { isRecord } from '../../core/config/problem.ts';
import { ProblemList } from '../../core/config/problem-list.ts';
import type { Inventory, StoredFrontend, StoredNode, StoredNodeBalancer } from '../store/inventory.ts';
import { type KeptFields, keptFieldsOf } from '../store/kept-fields.ts';
import type { ApiContext } from './context.ts';
import { configDraft } from './drafts.ts';
import { addConfig, changeConfig, findById, Ids, removeConfig } from './edits.ts';
import type { ErrorItem } from './errors.ts';
import { filterItems } from './filter.ts';
import { PageQuery, pageOf, paginate } from './pagination.ts';
import { publishedForChange, publishedForNew } from './published-schemas.ts';
import { queryFlag } from './query.ts';
import { checkBody, judge, readFields, refuse } from './request-check.ts';
import { CONFIG, CONFIG_WITH_NODES, NODE_REQUEST } from './request-schemas.ts';
import { change, findConfig, findNodeBalancer, inventoryNow, setEtag } from './requests.ts';
import { readBody } from './unknown-keys.ts';
import { ConfigView, viewConfig, viewRebuiltConfig } from './views.ts';

const PATH = '/nodebalancers/:nodebalancerId/configs';
const FILTERS = ['id', 'port', 'protocol', 'algorithm', 'stickiness', 'check', 'proxy_protocol'] as const;

/** With nodes, for clients that want a port and its nodes in one write. */
const CreateQuery = Type.Object({
  with_nodes: Type.Optional(
    Type.Boolean({
      default: false,
      description:
        'An extension. true: the nodes in the body are created, too. Without it they are ignored, as the Linode API does: clients ' +
        'that send them here create them again one by one.',
    }),
  ),
});

export function configRoutes(app: FastifyInstance, context: ApiContext): void {
  const conditionsOf = (nodebalancer: StoredNodeBalancer, config: StoredFrontend) =>
    context.plane.conditions(nodebalancer.label, config.port);
  const view = (nodebalancer: StoredNodeBalancer, config: StoredFrontend): ConfigView =>
    viewConfig(nodebalancer, config, conditionsOf(nodebalancer, config));
  const answer = (inventory: Inventory, nodebalancerId: number, id: number, reply: FastifyReply): ConfigView => {
    const nodebalancer = findById(inventory.nodebalancers, nodebalancerId);
    const config = findById(nodebalancer.configs, id);
    setEtag(reply, config);
    return view(nodebalancer, config);
  };

  app.get(
    PATH,
    {
      config: { rate: 'list' },
      schema: { summary: 'Configs of a NodeBalancer', querystring: PageQuery, response: { 200: pageOf(ConfigView) } },
    },
    async (request, reply) => {
      const { nodebalancer } = findNodeBalancer(inventoryNow(context), request);
      setEtag(reply, nodebalancer.configs);
      const views = nodebalancer.configs.map((config) => view(nodebalancer, config));
      return paginate(request.query, filterItems(request.headers['x-filter'], views, FILTERS));
    },
  );

  app.post(
    PATH,
    {
      schema: {
        summary: 'Create a config: a port of the NodeBalancer; its nodes are created by themselves, or with_nodes',
        querystring: CreateQuery,
        body: publishedForNew(CONFIG_WITH_NODES),
        response: { 200: ConfigView },
      },
    },
    async (request, reply) => {
      const withNodes = queryFlag(request.query, 'with_nodes');
      const body = readBody(request, reply, withNodes ? CONFIG_WITH_NODES : CONFIG);
      let id = 0;
      const inventory = await change(
        context,
        request,
        (now) => {
          const { nodebalancer } = findNodeBalancer(now, request);
          return [nodebalancer.configs, nodebalancer];
        },
        (before, now) => {
          const { nodebalancer } = findNodeBalancer(before, request);
          const ids = new Ids(before);
          id = ids.take();
          const config = checkedConfig(before, nodebalancer, undefined, body, withNodes, {
            ids,
            own: context.own(),
          });
          return addConfig(before, { nodebalancer, now }, { ...config, id }, ids);
        },
      );
      return answer(inventory, findNodeBalancer(inventory, request).nodebalancer.id, id, reply);
    },
  );

  app.get(
    `${PATH}/:configId`,
    { schema: { summary: 'One config', response: { 200: ConfigView } } },
    async (request, reply) => {
      const { nodebalancer, config } = findConfig(inventoryNow(context), request);
      setEtag(reply, config);
      return view(nodebalancer, config);
    },
  );

  app.put(
    `${PATH}/:configId`,
    {
      schema: { summary: 'Change fields of a config', body: publishedForChange(CONFIG), response: { 200: ConfigView } },
    },
    async (request, reply) => {
      const body = readBody(request, reply, CONFIG);
      const thing = (inventory: Inventory) => findConfig(inventory, request).config;
      const inventory = await change(
        context,
        request,
        (now) => [thing(now)],
        (before, now) => {
          const { nodebalancer, config } = findConfig(before, request);
          const next = checkedConfig(before, nodebalancer, config, body, false, {
            ids: new Ids(before),
            own: context.own(),
          });
          return changeConfig(before, { nodebalancer, now }, { ...next, id: config.id, nodes: config.nodes });
        },
      );
      const { nodebalancer, config } = findConfig(inventory, request);
      return answer(inventory, nodebalancer.id, config.id, reply);
    },
  );

  app.delete(
    `${PATH}/:configId`,
    { schema: { summary: 'Delete a config with its nodes', response: { 200: Type.Object({}) } } },
    async (request) => {
      const thing = (inventory: Inventory) => findConfig(inventory, request).config;
      await change(
        context,
        request,
        (now) => [thing(now)],
        (before, now) => {
          const { nodebalancer, config } = findConfig(before, request);
          return removeConfig(before, { nodebalancer, now }, config.id);
        },
      );
      return {};
    },
  );

  app.post(
    `${PATH}/:configId/rebuild`,
    {
      schema: {
        summary:
          'Change a config and its whole set of nodes in one write: those with an id stay, those without are new, others go',
        body: publishedForChange(CONFIG_WITH_NODES, ['nodes']),
        response: { 200: ConfigView },
      },
    },
    async (request, reply) => {
      const body = readBody(request, reply, CONFIG_WITH_NODES);
      const thing = (inventory: Inventory) => findConfig(inventory, request).config;
      const inventory = await change(
        context,
        request,
        (now) => [thing(now)],
        (before, now) => {
          const { nodebalancer, config } = findConfig(before, request);
          const ids = new Ids(before);
          const next = checkedConfig(before, nodebalancer, config, body, true, { ids, own: context.own() });
          return changeConfig(before, { nodebalancer, now }, { ...next, id: config.id }, ids);
        },
      );
      const { nodebalancer, config } = findConfig(inventory, request);
      setEtag(reply, config);
      return viewRebuiltConfig(nodebalancer, config, conditionsOf(nodebalancer, config));
    },
  );
}

/** @param old what fields that were not sent keep @param withNodes the body's nodes are the config's @throws ApiError 400 */
function checkedConfig(
  inventory: Inventory,
  nodebalancer: StoredNodeBalancer,
  old: StoredFrontend | undefined,
  body: unknown,
  withNodes: boolean,
  { ids, own }: { readonly ids: Ids; readonly own: OwnAddresses },
): Omit<StoredFrontend, 'id'> {
  const { id, nodes: oldNodes = [], ...fields } = old ?? { id: 0 };
  const bodies = isRecord(body) && Array.isArray(body.nodes) ? body.nodes : [];
  const oldById = new Map<unknown, StoredNode>(oldNodes.map((node) => [node.id, node]));
  const olds = bodies.map((item) => (isRecord(item) ? oldById.get(item.id) : undefined));
  const problems = new ProblemList();
  const sent = withNodes ? merged(body, olds, problems) : body;
  const checked = checkBody(sent, withNodes ? CONFIG_WITH_NODES : CONFIG, fields, problems);
  const nodes = withNodes ? checked.draft.nodes : oldNodes.map(({ id: _, ...node }) => node);
  const { draft, focus } = configDraft(inventory, nodebalancer, old, { ...checked.draft, nodes });
  const others = withNodes && old !== undefined ? [...missingNodes(body), ...strangeIds(bodies, oldById)] : [];
  refuse([checked.problems, judge(draft, focus, checked.given, own)], others);
  const good = draft.nodebalancers?.at(-1)?.configs?.at(-1) as Frontend;
  return {
    ...good,
    ...keptFieldsOf(checked.draft as Partial<KeptFields> as KeptFields),
    nodes: good.nodes.map((node, index): StoredNode => {
      const known = old === undefined || !withNodes ? undefined : olds[index];
      return { ...node, id: known?.id ?? ids.take() };
    }),
  };
}

/** A node that stays keeps what was not sent. */
function merged(body: unknown, olds: readonly (StoredNode | undefined)[], problems: ProblemList): unknown {
  if (!isRecord(body) || !Array.isArray(body.nodes)) return body;
  const nodes = body.nodes.map((item: unknown, index) =>
    isRecord(item) && index < NODES_PER_FRONTEND_MAX
      ? { ...olds[index], ...readFields(item, NODE_REQUEST, problems) }
      : item,
  );
  return { ...body, nodes };
}

/** A rebuild drops the nodes that are not in its list; one that has no list has forgotten it, and must not drop them all. */
function missingNodes(body: unknown): readonly ErrorItem[] {
  const isThere = isRecord(body) && (body.nodes ?? null) !== null;
  return isThere ? [] : [{ field: 'nodes', reason: 'nodes is required' }];
}

function strangeIds(bodies: readonly unknown[], oldById: ReadonlyMap<unknown, StoredNode>): readonly ErrorItem[] {
  const seen = new Set<unknown>();
  return bodies.flatMap((item, index) => {
    const id = isRecord(item) ? (item.id ?? null) : null;
    if (id === null) return [];
    const field = `nodes[${index}].id`;
    if (seen.has(id)) return [{ field, reason: 'The same node twice' }];
    seen.add(id);
    return oldById.has(id) ? [] : [{ field, reason: 'Not a node of this config' }];
  });
}
