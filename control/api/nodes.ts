// /nodebalancers/{id}/configs/{id}/nodes and below it

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { Node } from '../../core/config/model.ts';
import type { OwnAddresses } from '../../core/config/own-ports.ts';
import type { Inventory, StoredNode } from '../store/inventory.ts';
import type { ApiContext } from './context.ts';
import { nodeDraft } from './drafts.ts';
import { changeConfig, findById, Ids, withNode, withoutNode } from './edits.ts';
import { filterItems } from './filter.ts';
import { PageQuery, pageOf, paginate } from './pagination.ts';
import { publishedForChange, publishedForNew } from './published-schemas.ts';
import { checkBody, judge, refuse } from './request-check.ts';
import { NODE_REQUEST } from './request-schemas.ts';
import { change, type FoundConfig, findConfig, findNode, inventoryNow, setEtag } from './requests.ts';
import { readBody } from './unknown-keys.ts';
import { NodeView, viewNode } from './views.ts';

const PATH = '/nodebalancers/:nodebalancerId/configs/:configId/nodes';
const FILTERS = ['id', 'label', 'address', 'status', 'weight', 'mode'] as const;

export function nodeRoutes(app: FastifyInstance, context: ApiContext): void {
  const conditionsAt = ({ nodebalancer, config }: FoundConfig) =>
    context.plane.conditions(nodebalancer.label, config.port);
  const answer = (inventory: Inventory, request: FastifyRequest, id: number, reply: FastifyReply): NodeView => {
    const found = findConfig(inventory, request);
    const node = findById(found.config.nodes, id);
    setEtag(reply, node);
    return viewNode(found.nodebalancer, found.config, node, conditionsAt(found));
  };

  app.get(
    PATH,
    {
      config: { rate: 'list' },
      schema: { summary: 'Nodes of a config', querystring: PageQuery, response: { 200: pageOf(NodeView) } },
    },
    async (request, reply) => {
      const found = findConfig(inventoryNow(context), request);
      setEtag(reply, found.config.nodes);
      const conditions = conditionsAt(found);
      const views = found.config.nodes.map((node) => viewNode(found.nodebalancer, found.config, node, conditions));
      return paginate(request.query, filterItems(request.headers['x-filter'], views, FILTERS));
    },
  );

  app.post(
    PATH,
    { schema: { summary: 'Add a node', body: publishedForNew(NODE_REQUEST), response: { 200: NodeView } } },
    async (request, reply) => {
      const body = readBody(request, reply, NODE_REQUEST);
      let id = 0;
      const inventory = await change(
        context,
        request,
        (now) => {
          const { config } = findConfig(now, request);
          return [config.nodes, config];
        },
        (before, now) => {
          const found = findConfig(before, request);
          const ids = new Ids(before);
          id = ids.take();
          const node = { ...checkedNode(before, found, undefined, body, context.own()), id };
          return changeConfig(before, { nodebalancer: found.nodebalancer, now }, withNode(found.config, node), ids);
        },
      );
      return answer(inventory, request, id, reply);
    },
  );

  app.get(
    `${PATH}/:nodeId`,
    { schema: { summary: 'One node', response: { 200: NodeView } } },
    async (request, reply) => {
      const inventory = inventoryNow(context);
      return answer(inventory, request, findNode(inventory, request).node.id, reply);
    },
  );

  app.put(
    `${PATH}/:nodeId`,
    {
      schema: {
        summary: 'Change fields of a node',
        body: publishedForChange(NODE_REQUEST),
        response: { 200: NodeView },
      },
    },
    async (request, reply) => {
      const body = readBody(request, reply, NODE_REQUEST);
      const thing = (inventory: Inventory) => findNode(inventory, request).node;
      const inventory = await change(
        context,
        request,
        (now) => [thing(now)],
        (before, now) => {
          const found = findNode(before, request);
          const node = { ...checkedNode(before, found, found.node, body, context.own()), id: found.node.id };
          return changeConfig(before, { nodebalancer: found.nodebalancer, now }, withNode(found.config, node));
        },
      );
      return answer(inventory, request, thing(inventory).id, reply);
    },
  );

  app.delete(
    `${PATH}/:nodeId`,
    { schema: { summary: 'Remove a node; its connections end by themselves', response: { 200: Type.Object({}) } } },
    async (request) => {
      const thing = (inventory: Inventory) => findNode(inventory, request).node;
      await change(
        context,
        request,
        (now) => [thing(now)],
        (before, now) => {
          const { nodebalancer, config, node } = findNode(before, request);
          return changeConfig(before, { nodebalancer, now }, withoutNode(config, node.id));
        },
      );
      return {};
    },
  );
}

/** @param old what fields that were not sent keep @throws ApiError 400 */
function checkedNode(
  inventory: Inventory,
  { nodebalancer, config }: FoundConfig,
  old: StoredNode | undefined,
  body: unknown,
  own: OwnAddresses,
): Node {
  const { id, ...fields } = old ?? { id: undefined };
  const checked = checkBody(body, NODE_REQUEST, fields);
  const { draft, focus } = nodeDraft(inventory, nodebalancer, config, id, checked.draft);
  refuse([checked.problems, judge(draft, focus, checked.given, own)]);
  return checked.draft as Node;
}
