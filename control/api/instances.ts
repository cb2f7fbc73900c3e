// /linode/instances: the machines that are nodes already. The Cloud Manager lets nobody add a node before it has read this list, and
// offers the addresses in it. There are no machines of a cloud here: what is not known of one has the value that says so.

import { hash } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { type Static, Type } from 'typebox';
import { formatIp, IPV4_AT, isIpv4 } from '../../core/base/ip.ts';
import { parseNodeAddress } from '../../core/config/node-address.ts';
import type { Inventory, StoredNode, StoredNodeBalancer } from '../store/inventory.ts';
import type { ApiContext } from './context.ts';
import { findById } from './edits.ts';
import { filterItems } from './filter.ts';
import { PageQuery, pageOf, paginate } from './pagination.ts';
import { idOf, inventoryNow } from './requests.ts';

const NullableText = Type.Union([Type.String(), Type.Null()]);

const InstanceView = Type.Object({
  id: Type.Integer(),
  label: Type.String({ description: 'Of the first node that is this machine.' }),
  group: Type.String(),
  status: Type.Enum(['running'], { description: 'Whether it serves, the status of its nodes tells.' }),
  created: Type.String(),
  updated: Type.String(),
  type: Type.Null(),
  ipv4: Type.Array(Type.String()),
  ipv6: NullableText,
  image: Type.Null(),
  region: Type.String(),
  site_type: Type.Enum(['core']),
  specs: Type.Object({
    disk: Type.Integer(),
    memory: Type.Integer(),
    vcpus: Type.Integer(),
    gpus: Type.Integer(),
    transfer: Type.Integer(),
    accelerated_devices: Type.Integer(),
  }),
  tags: Type.Array(Type.String()),
  has_user_data: Type.Boolean(),
  placement_group: Type.Null(),
  lke_cluster_id: Type.Null(),
  capabilities: Type.Array(Type.String()),
  locks: Type.Array(Type.String()),
});
type InstanceView = Static<typeof InstanceView>;

const UNKNOWN_SPECS = { disk: 0, memory: 0, vcpus: 0, gpus: 0, transfer: 0, accelerated_devices: 0 };
const FILTERS = ['id', 'label', 'group', 'region', 'status', 'ipv4', 'ipv6', 'tags'] as const;

export function instanceRoutes(app: FastifyInstance, context: ApiContext): void {
  app.get(
    '/linode/instances',
    {
      config: { rate: 'list' },
      schema: {
        summary: 'The machines that are nodes and have an address; any other address may be a node as well',
        querystring: PageQuery,
        response: { 200: pageOf(InstanceView) },
      },
    },
    async (request) =>
      paginate(request.query, filterItems(request.headers['x-filter'], machinesOf(inventoryNow(context)), FILTERS)),
  );

  app.get(
    '/linode/instances/:linodeId',
    { schema: { summary: 'One machine', response: { 200: InstanceView } } },
    async (request) => findById(machinesOf(inventoryNow(context)), idOf(request, 'linodeId')),
  );
}

/** One for each address, in the order of the nodes. Those that are known by name alone have none to be offered. */
function machinesOf({ nodebalancers }: Inventory): readonly InstanceView[] {
  const machines = new Map<string, InstanceView>();
  for (const nodebalancer of nodebalancers) {
    for (const node of nodebalancer.configs.flatMap(({ nodes }) => nodes)) {
      const ip = parseNodeAddress(node.address)?.ip;
      if (ip === undefined) continue;
      const text = formatIp(ip, 0);
      if (!machines.has(text)) machines.set(text, viewMachine(nodebalancer, node, ip, text));
    }
  }
  return [...machines.values()];
}

function viewMachine(
  { region, created, updated }: StoredNodeBalancer,
  { label }: StoredNode,
  ip: Uint8Array,
  text: string,
): InstanceView {
  const isV4 = isIpv4(ip, 0);
  return {
    id: isV4 ? numberOf(ip) : HASHES_FROM + hashOf(text),
    label,
    group: '',
    status: 'running',
    created,
    updated,
    type: null,
    ipv4: isV4 ? [text] : [],
    ipv6: isV4 ? null : `${text}/128`,
    image: null,
    region,
    site_type: 'core',
    specs: UNKNOWN_SPECS,
    tags: [],
    has_user_data: false,
    placement_group: null,
    lke_cluster_id: null,
    capabilities: [],
    locks: [],
  };
}

// An id follows from the address, so that it stays whatever becomes of the nodes: an IPv4 address is a number, of an IPv6 address 48
// bits of a hash come above all of these.
const HASHES_FROM = 2 ** 32;

function numberOf(ip: Uint8Array): number {
  return Buffer.from(ip).readUInt32BE(IPV4_AT);
}

function hashOf(text: string): number {
  return hash('sha256', text, 'buffer').readUIntBE(0, 6);
}
