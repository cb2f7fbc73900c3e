// Whether what is stored is whole.

import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import type { ApiContext } from './context.ts';

const StoreReportView = Type.Object({
  path: Type.String({ description: "The database's file." }),
  revisions: Type.Integer(),
  tokens: Type.Integer(),
  problems: Type.Array(Type.String(), { description: 'What is damaged; empty when all is whole.' }),
  notices: Type.Array(Type.String()),
});

export function storeRoutes(app: FastifyInstance, { checkStore }: ApiContext): void {
  app.get(
    '/balancer/v1/store/check',
    {
      config: { rate: 'stats' },
      schema: { summary: 'Whether the store is whole: its pages and each row', response: { 200: StoreReportView } },
    },
    async () => checkStore(),
  );
}
