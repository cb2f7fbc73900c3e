// What the pages load and change, in the API's words: one function each, so that every path stands once.

import { type Answer, ApiFailure, get, getAll, post, put, remove } from './client.ts';
import type { Question } from './early.ts';
import type { Config, Mode, Node, NodeBalancer, Overview } from './types.ts';

const BASE = '/v4/nodebalancers';

async function listOverviews(): Promise<readonly Overview[]> {
  return (await get<{ readonly data: readonly Overview[] }>('/balancer/v1/nodebalancers')).data.data;
}

export const overviews: Question<readonly Overview[]> = ['nodebalancers', listOverviews];
export const nodebalancerOf = (id: number): Question<Answer<NodeBalancer>> => [
  `nodebalancer ${id}`,
  () => get(`${BASE}/${id}`),
];
export const configsOf = (id: number): Question<readonly Config[]> => [
  `configs ${id}`,
  () => getAll(`${BASE}/${id}/configs`),
];
export const listNodes = (id: number, configId: number) => getAll<Node>(`${BASE}/${id}/configs/${configId}/nodes`);
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
/** In force at once, whatever a form may hold. @param address of the node, which its frontend has once */
export async function setNodeMode(id: number, configId: number, address: string, mode: Mode): Promise<void> {
  const node = (await listNodes(id, configId)).find((candidate) => candidate.address === address);
  if (node === undefined) throw new ApiFailure(404, [{ reason: 'The node is there no longer.' }]);
  await put(`${BASE}/${id}/configs/${configId}/nodes/${node.id}`, { mode });
}
export const deleteConfig = (id: number, configId: number) => remove(`${BASE}/${id}/configs/${configId}`);
