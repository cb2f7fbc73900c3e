// From a configuration and its plan to what the prober checks: one target per node that is to be checked. Plain data in, plain data
// out.

import type { Config } from '../core/config/model.ts';
import { parseNodeAddress } from '../core/config/node-address.ts';
import type { FrontendPlan, NodePlan } from '../core/session/plan.ts';
import type { CheckTarget } from './checks/target.ts';

/** `web-1 (192.0.2.10:8080) of web port 80` */
export function nodeName(
  frontend: Pick<FrontendPlan, 'label' | 'port'>,
  { label, address }: Pick<NodePlan, 'label' | 'address'>,
): string {
  return `${label} (${address}) of ${frontend.label} port ${frontend.port}`;
}

/** @param plans of the configuration's frontends, in their order @param usableOf the addresses that the node of a row may have */
export function checkTargets(
  config: Config,
  plans: readonly FrontendPlan[],
  usableOf: (row: number) => readonly Uint8Array[],
): CheckTarget[] {
  const frontends = config.nodebalancers.flatMap(({ configs }) => configs);
  return frontends.flatMap((frontend, index): CheckTarget[] => {
    const plan = plans[index];
    const { check } = frontend;
    if (plan === undefined || check === 'none') return [];
    return plan.nodes
      .filter(({ mode }) => mode !== 'reject')
      .map((node) => ({
        row: node.row,
        frontend: plan.row,
        name: nodeName(plan, node),
        check,
        ip: node.ip,
        ips: usableOf(node.row),
        port: node.port,
        host: parseNodeAddress(node.address)?.host ?? '',
        proxyProtocol: node.proxyProtocol,
        intervalMs: frontend.check_interval * 1000,
        timeoutMs: frontend.check_timeout * 1000,
        attempts: frontend.check_attempts,
        path: frontend.check_path,
        body: frontend.check_body,
      }));
  });
}
