// What the tests of the stored things share: a NodeBalancer with a config to try things on, and what must hold of any inventory.

import { expect } from 'vitest';
import { configOf, type Inventory } from '../../../../../control/store/inventory.ts';
import { validateConfig } from '../../../../../core/config/validate.ts';
import type { Answer, Lab } from '../support.ts';

export const NODEBALANCERS = '/v4/nodebalancers';

export interface Places {
  readonly nodebalancer: string;
  readonly configs: string;
  readonly config: string;
  readonly nodes: string;
  readonly rebuild: string;
}

/** With one config, as `config` says, and its nodes. */
export async function makeNodeBalancer(lab: Lab, config: Record<string, unknown> = {}): Promise<Places> {
  const made = await lab.ask('POST', NODEBALANCERS, { region: 'local', configs: [config] });
  expect(made.status, JSON.stringify(made.body)).toBe(200);
  const nodebalancer = `${NODEBALANCERS}/${made.body.id}`;
  const configs = `${nodebalancer}/configs`;
  const { body } = await lab.ask('GET', configs);
  const first = `${configs}/${body.data[0].id}`;
  return { nodebalancer, configs, config: first, nodes: `${first}/nodes`, rebuild: `${first}/rebuild` };
}

/** @returns the answer's body, of a request that must succeed */
export async function done(answer: Promise<Answer>): Promise<Answer['body']> {
  const { status, body } = await answer;
  expect(status, JSON.stringify(body)).toBe(200);
  return body;
}

/** @returns the errors of a request that must be refused as bad */
export async function refused(answer: Promise<Answer>): Promise<readonly { field?: string; reason: string }[]> {
  const { status, body } = await answer;
  expect(status, JSON.stringify(body)).toBe(400);
  return body.errors;
}

export function idsOf(inventory: Inventory): number[] {
  return inventory.nodebalancers.flatMap(({ id, configs }) => [
    id,
    ...configs.flatMap((config) => [config.id, ...config.nodes.map((node) => node.id)]),
  ]);
}

/** Ids are there once, below the next one; and the configuration is one that a file could have. */
export function expectSound(inventory: Inventory): void {
  const ids = idsOf(inventory);
  expect(new Set(ids).size).toBe(ids.length);
  expect(Math.max(0, ...ids)).toBeLessThan(inventory.nextId);
  const config = configOf(inventory);
  expect(validateConfig(config)).toMatchObject({ config });
}
