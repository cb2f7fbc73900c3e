// More than anybody has: a NodeBalancer with a thousand nodes, and a list of five hundred NodeBalancers.

import type { Visit } from '../../../testing/browser.ts';
import { freePort } from '../../../testing/ports.ts';
import type { StoredBalancer } from '../../../testing/stored-balancer.ts';

export const NODEBALANCERS = 500;
export const NODES = 1000;

/** The first of a new store: its id is 1. */
export async function makeLarge(balancer: StoredBalancer): Promise<void> {
  const nodes = Array.from({ length: NODES }, (_, index) => ({
    label: `node-${index}`,
    address: `127.3.${index >> 8}.${index & 255}:9`,
  }));
  const { path } = await balancer.create('large', { port: await freePort() }, []);
  await balancer.ask('POST', `${path}/configs/2/rebuild`, { nodes });
}

/** A balancer has fewer at most: this is the page's own measure. */
export async function showMany({ page }: Visit, balancer: StoredBalancer): Promise<void> {
  const { data } = await balancer.ask('GET', '/balancer/v1/nodebalancers');
  const [one] = data as { configs: object[] }[];
  const many = Array.from({ length: NODEBALANCERS }, (_, index) => {
    const configs = [{ id: 10_000 + index, port: 20_000 + index, nodes_status: { up: 1, down: 0 } }];
    return { ...one, id: index + 1, label: `nb-${index + 1}`, configs };
  });
  await page.route('**/balancer/v1/nodebalancers', (route) => route.fulfill({ json: { data: many } }));
}
