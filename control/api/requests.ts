// What the routes of stored things have in common: ids in paths, If-Match, the change and its answer.

import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Inventory, StoredFrontend, StoredNode, StoredNodeBalancer } from '../store/inventory.ts';
import type { ApiContext } from './context.ts';
import { findById } from './edits.ts';
import { notFound } from './errors.ts';
import { etagOf, type Tagged } from './views.ts';

export type Params = Readonly<Record<string, string>>;

/** @throws ApiError 404 for anything but a positive whole number: there is no such thing */
export function idOf(request: FastifyRequest, name: string): number {
  const text = (request.params as Params)[name] ?? '';
  if (!/^[1-9]\d{0,14}$/.test(text)) throw notFound();
  return Number(text);
}

export interface Found {
  readonly nodebalancer: StoredNodeBalancer;
}
export interface FoundConfig extends Found {
  readonly config: StoredFrontend;
}
export interface FoundNode extends FoundConfig {
  readonly node: StoredNode;
}

/** What the path names. @throws ApiError 404 */
export function findNodeBalancer(inventory: Inventory, request: FastifyRequest): Found {
  return { nodebalancer: findById(inventory.nodebalancers, idOf(request, 'nodebalancerId')) };
}

export function findConfig(inventory: Inventory, request: FastifyRequest): FoundConfig {
  const found = findNodeBalancer(inventory, request);
  return { ...found, config: findById(found.nodebalancer.configs, idOf(request, 'configId')) };
}

export function findNode(inventory: Inventory, request: FastifyRequest): FoundNode {
  const found = findConfig(inventory, request);
  return { ...found, node: findById(found.config.nodes, idOf(request, 'nodeId')) };
}

/** Whether one of these tags is what the client saw; without an If-Match it need not have looked. */
export function matches(request: FastifyRequest, tags: () => readonly string[]): boolean {
  const header = request.headers['if-match'];
  if (header === undefined || header.trim() === '*') return true;
  const now = tags();
  return header.split(',').some((part) => now.includes(part.trim().replace(/^W\//, '')));
}

/**
 * Makes a change and waits until it is in force.
 * @param seen what an If-Match of the request may name; of several, one that is still as it was is enough @returns the new inventory
 */
export async function change(
  context: ApiContext,
  request: FastifyRequest,
  seen: (inventory: Inventory) => readonly Tagged[],
  edit: (inventory: Inventory, now: string) => Inventory,
): Promise<Inventory> {
  const isCurrent = (inventory: Inventory): boolean => matches(request, () => seen(inventory).map(etagOf));
  const { inventory } = await context.changes.change(request.caller.author, edit, isCurrent);
  return inventory;
}

export function setEtag(reply: FastifyReply, thing: Tagged): void {
  reply.header('etag', etagOf(thing));
}

/** The inventory that answers are made of: the store's, or under `run -f` the file's, with ids by order. */
export function inventoryNow(context: ApiContext): Inventory {
  return context.store.read().inventory;
}
