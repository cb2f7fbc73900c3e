// Every route module, once.

import type { FastifyInstance } from 'fastify';
import { configRoutes } from './configs.ts';
import type { ApiContext } from './context.ts';
import { eventRoutes } from './events.ts';
import { headerRoutes } from './header-routes.ts';
import { historyRoutes } from './history-routes.ts';
import { instanceRoutes } from './instances.ts';
import { loginListRoutes } from './login-list-routes.ts';
import { loginRoutes } from './login-routes.ts';
import { metricsRoutes } from './metrics.ts';
import { nodebalancerRoutes } from './nodebalancers.ts';
import { nodeRoutes } from './nodes.ts';
import { overviewRoutes } from './overview-routes.ts';
import { pageRoutes } from './page-routes.ts';
import { probeRoutes } from './probes.ts';
import { regionTypeRoutes } from './region-types.ts';
import { sessionRoutes } from './session-routes.ts';
import { sourceRoutes } from './source-routes.ts';
import { stateRoutes } from './state-routes.ts';
import { shortStatsRoutes, statsRoutes } from './statistics-routes.ts';
import { storeRoutes } from './store-routes.ts';
import { tokenRoutes } from './token-routes.ts';

type Routes = (app: FastifyInstance, context: ApiContext) => void;

/** Below /v4 and /v4beta. */
export const API_ROUTES: readonly Routes[] = [
  regionTypeRoutes,
  nodebalancerRoutes,
  configRoutes,
  nodeRoutes,
  statsRoutes,
  instanceRoutes,
];

/** Ours, at the root. */
export const ROOT_ROUTES: readonly Routes[] = [
  probeRoutes,
  metricsRoutes,
  overviewRoutes,
  stateRoutes,
  sessionRoutes,
  historyRoutes,
  tokenRoutes,
  storeRoutes,
  headerRoutes,
  sourceRoutes,
  shortStatsRoutes,
  eventRoutes,
  loginRoutes,
  loginListRoutes,
  pageRoutes,
];
