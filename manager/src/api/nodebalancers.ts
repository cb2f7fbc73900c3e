// What the pages load and change, in the API's words: one function each, so that every path stands once.

import { type Answer, get, getAll, post, put, remove } from './client.ts';
import type { Config, Node, NodeBalancer } from './types.ts';

const BASE = '/v4/nodebalancers';

export interface Summary {
  readonly nodebalancer: NodeBalancer;
  readonly configs: readonly Config[];
}

export async function listSummaries(): Promise<readonly Summary[]> {
  const nodebalancers = await getAll<NodeBalancer>(BASE);
  return Promise.all(
    nodebalancers.map(async (nodebalancer) => ({ nodebalancer, configs: await listConfigs(nodebalancer.id) })),
  );
}

export const listConfigs = (id: number) => getAll<Config>(`${BASE}/${id}/configs`);
export const listNodes = (id: number, configId: number) => getAll<Node>(`${BASE}/${id}/configs/${configId}/nodes`);
export const getNodeBalancer = (id: number): Promise<Answer<NodeBalancer>> => get(`${BASE}/${id}`);
export const getConfig = (id: number, configId: number): Promise<Answer<Config>> =>
  get(`${BASE}/${id}/configs/${configId}`);
export const createNodeBalancer = (body: unknown): Promise<Answer<NodeBalancer>> => post(BASE, body);
export const changeNodeBalancer = (id: number, body: unknown, etag?: string | null): Promise<Answer<NodeBalancer>> =>
  put(`${BASE}/${id}`, body, etag);
export const deleteNodeBalancer = (id: number) => remove(`${BASE}/${id}`);
/** With its nodes, in one write. */
export const createConfig = (id: number, body: unknown): Promise<Answer<Config>> =>
  post(`${BASE}/${id}/configs?with_nodes=true`, body);
/** Config and nodes in one write: all of it, or nothing. */
export const saveConfig = (
  id: number,
  configId: number,
  body: unknown,
  etag?: string | null,
): Promise<Answer<Config>> => post(`${BASE}/${id}/configs/${configId}/rebuild`, body, etag);
export const deleteConfig = (id: number, configId: number) => remove(`${BASE}/${id}/configs/${configId}`);
