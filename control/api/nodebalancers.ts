// /nodebalancers and /nodebalancers/{id}

import type { FastifyInstance } from 'fastify';
import { type TSchema, Type } from 'typebox';
import type { Frontend, NodeBalancer } from '../../core/config/model.ts';
import type { Inventory, StoredFrontend, StoredNodeBalancer } from '../store/inventory.ts';
import type { KeptFields } from '../store/kept-fields.ts';
import type { ApiContext } from './context.ts';
import { nodebalancerDraft } from './drafts.ts';
import { addNodeBalancer, changeNodeBalancer, Ids, removeNodeBalancer } from './edits.ts';
import type { ErrorItem } from './errors.ts';
import { filterItems } from './filter.ts';
import { addressFault, chooseAddresses, shownAddresses } from './host-addresses.ts';
import { PageQuery, pageOf, paginate } from './pagination.ts';
import { publishedForChange, publishedForNew } from './published-schemas.ts';
import { type CheckedBody, checkBody, judge, refuse } from './request-check.ts';
import { automaticLabel, CHANGED_NODEBALANCER, NEW_NODEBALANCER } from './request-schemas.ts';
import { change, findNodeBalancer, inventoryNow, setEtag } from './requests.ts';
import { readBody } from './unknown-keys.ts';
import { NodeBalancerView, viewNodeBalancer } from './views.ts';

const FILTERS = [
  ...['id', 'label', 'region', 'type', 'hostname', 'ipv4', 'ipv6', 'client_conn_throttle'],
  ...['tags', 'created', 'updated'],
] as const;

export function nodebalancerRoutes(app: FastifyInstance, context: ApiContext): void {
  const view = (nodebalancer: StoredNodeBalancer): NodeBalancerView =>
    viewNodeBalancer(nodebalancer, context.statistics.transfer(nodebalancer.id, context.now()));
  const one = (summary: string, more: Record<string, TSchema> = {}) => ({
    schema: { summary, ...more, response: { 200: NodeBalancerView } },
  });

  app.get(
    '/nodebalancers',
    {
      config: { rate: 'list' },
      schema: { summary: 'All NodeBalancers', querystring: PageQuery, response: { 200: pageOf(NodeBalancerView) } },
    },
    async (request, reply) => {
      const { nodebalancers } = inventoryNow(context);
      setEtag(reply, nodebalancers);
      const views = nodebalancers.map(view);
      return paginate(request.query, filterItems(request.headers['x-filter'], views, FILTERS));
    },
  );

  app.post(
    '/nodebalancers',
    one('Create a NodeBalancer, with configs and nodes', { body: publishedForNew(NEW_NODEBALANCER) }),
    async (request, reply) => {
      const body = readBody(request, reply, NEW_NODEBALANCER);
      let id = 0;
      const inventory = await change(
        context,
        request,
        ({ nodebalancers }) => [nodebalancers],
        (before, now) => {
          const made = create(before, body, context, now);
          id = made.id;
          return made.inventory;
        },
      );
      return answer(inventory, id, reply);
    },
  );

  app.get('/nodebalancers/:nodebalancerId', one('One NodeBalancer'), async (request, reply) => {
    const { nodebalancer } = findNodeBalancer(inventoryNow(context), request);
    setEtag(reply, nodebalancer);
    return view(nodebalancer);
  });

  app.put(
    '/nodebalancers/:nodebalancerId',
    one('Change label, throttle or tags', { body: publishedForChange(CHANGED_NODEBALANCER) }),
    async (request, reply) => {
      const body = readBody(request, reply, CHANGED_NODEBALANCER);
      const thing = (inventory: Inventory) => findNodeBalancer(inventory, request).nodebalancer;
      const inventory = await change(
        context,
        request,
        (now) => [thing(now)],
        (before, now) => {
          const nodebalancer = changed(before, thing(before), body, context);
          return changeNodeBalancer(before, { ...nodebalancer, updated: now });
        },
      );
      return answer(inventory, thing(inventory).id, reply);
    },
  );

  app.delete(
    '/nodebalancers/:nodebalancerId',
    { schema: { summary: 'Delete a NodeBalancer with its configs and nodes', response: { 200: Type.Object({}) } } },
    async (request) => {
      const thing = (inventory: Inventory) => findNodeBalancer(inventory, request).nodebalancer;
      await change(
        context,
        request,
        (now) => [thing(now)],
        (before) => removeNodeBalancer(before, thing(before).id),
      );
      return {};
    },
  );

  function answer(inventory: Inventory, id: number, reply: Parameters<typeof setEtag>[0]): NodeBalancerView {
    const made = inventory.nodebalancers.find((nodebalancer) => nodebalancer.id === id);
    if (made === undefined) throw new Error(`the nodebalancer ${id} is not in the inventory that was just written`);
    setEtag(reply, made);
    return view(made);
  }
}

function create(
  before: Inventory,
  body: unknown,
  { settings, own }: ApiContext,
  now: string,
): { readonly id: number; readonly inventory: Inventory } {
  const ids = new Ids(before);
  const checked = checkBody(body, NEW_NODEBALANCER);
  const id = Object.hasOwn(checked.given, 'label') ? ids.take() : idWithFreeLabel(before, ids);
  const { region, tags, label = automaticLabel(id), ipv4, configs = [], ...rest } = checked.draft as Partial<NewBody>;
  const taken = new Set(before.nodebalancers.map((nodebalancer) => nodebalancer.ipv4));
  // An address that was asked for badly or in vain is told as such, not replaced.
  const addresses = chooseAddresses(ipv4, settings.addresses, taken);
  const { draft, focus } = nodebalancerDraft(before, undefined, { ...rest, label, ...addresses, configs });
  refuse(
    [checked.problems, judge(draft, focus, checked.given, own())],
    [...regionErrors(region, settings.region), ...addressErrors(ipv4, settings.floating)],
  );
  const good = draft.nodebalancers?.at(-1) as NodeBalancer;
  const nodebalancer: StoredNodeBalancer = {
    ...good,
    id,
    region: settings.region,
    tags: tags ?? [],
    created: now,
    updated: now,
    configs: configs.map((config) => stored(config, ids)),
  };
  return { id, inventory: addNodeBalancer(before, nodebalancer, ids) };
}

/** Somebody may have given another one the label that would be automatic. */
function idWithFreeLabel({ nodebalancers }: Inventory, ids: Ids): number {
  const labels = new Set(nodebalancers.map(({ label }) => label));
  let id = ids.take();
  while (labels.has(automaticLabel(id))) id = ids.take();
  return id;
}

type CheckedConfig = Frontend & KeptFields;

interface NewBody {
  region: string;
  tags: readonly string[];
  label: string;
  ipv4: string;
  configs: readonly CheckedConfig[];
}

function regionErrors(region: string | undefined, known: string): readonly ErrorItem[] {
  return region === undefined || region === known ? [] : [{ field: 'region', reason: 'region is not valid' }];
}

function addressErrors(ipv4: string | undefined, floating: readonly string[]): readonly ErrorItem[] {
  const reason = ipv4 === undefined ? undefined : addressFault(ipv4, floating);
  return reason === undefined ? [] : [{ field: 'ipv4', reason }];
}

function stored({ nodes, ...config }: CheckedConfig, ids: Ids): StoredFrontend {
  return { ...config, id: ids.take(), nodes: nodes.map((node) => ({ ...withoutId(node), id: ids.take() })) };
}

function withoutId<T extends object>(node: T): T {
  const { id, ...rest } = node as T & { id?: unknown };
  return rest as unknown as T;
}

/** The address stays: a client may send back the one that it was answered, and hears of one that there is not. */
function changed(
  before: Inventory,
  nodebalancer: StoredNodeBalancer,
  body: unknown,
  { settings, own }: ApiContext,
): StoredNodeBalancer {
  const { label, client_conn_throttle, tags } = nodebalancer;
  const checked: CheckedBody = checkBody(body, CHANGED_NODEBALANCER, { label, client_conn_throttle, tags });
  const { ipv4: sent, ...fields } = checked.draft as ChangedFields;
  const { tags: newTags, ...rest } = fields;
  const { configs, ipv4, ipv6 } = nodebalancer;
  const plainConfigs = configs.map(({ id, nodes, ...config }) => ({ ...config, nodes: nodes.map(withoutId) }));
  const { draft, focus } = nodebalancerDraft(before, nodebalancer.id, { ipv4, ipv6, configs: plainConfigs, ...rest });
  const isOwn = sent === ipv4 || sent === shownAddresses(nodebalancer).ipv4;
  const problems = [checked.problems, judge(draft, focus, checked.given, own())];
  refuse(problems, isOwn ? [] : addressErrors(sent, settings.floating));
  return { ...nodebalancer, ...fields };
}

type ChangedFields = Pick<StoredNodeBalancer, 'label' | 'client_conn_throttle' | 'tags'> & { readonly ipv4?: string };
