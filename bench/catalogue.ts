// Which scenarios and which peers there are: the one list of each, in the order in which they are measured and shown. Only names and
// what they stand for; choosing among them is the command line's business.

import type { Contender } from './contender.ts';
import { balancer } from './peers/balancer.ts';
import { haproxy } from './peers/haproxy.ts';
import { nginx } from './peers/nginx.ts';
import { node } from './peers/node.ts';
import type { Scenario } from './scenario.ts';
import { bulk, untuned } from './scenarios/bulk.ts';
import { churn } from './scenarios/churn.ts';
import { header } from './scenarios/header.ts';
import { keepalive, newConnections } from './scenarios/http.ts';
import { idle } from './scenarios/idle.ts';
import { micro } from './scenarios/micro.ts';
import { openLoop } from './scenarios/open-loop.ts';
import { pool } from './scenarios/pool.ts';
import { shards } from './scenarios/shards.ts';

export const SCENARIOS: readonly Scenario[] = [
  newConnections,
  keepalive,
  openLoop,
  bulk,
  untuned,
  idle,
  churn,
  shards,
  header,
  pool,
  micro,
];

/** What all others are compared with. */
export const SUBJECT: Contender = balancer;
export const PEERS: readonly Contender[] = [haproxy, nginx, node];
