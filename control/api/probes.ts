// For whoever starts and watches the process: is it alive, and is it to be sent connections.

import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import type { ApiContext } from './context.ts';

const ProbeView = Type.Object({ status: Type.String() });

export function probeRoutes(app: FastifyInstance, { plane }: ApiContext): void {
  app.get(
    '/livez',
    { config: { isOpen: true }, schema: { summary: 'Whether the process answers', response: { 200: ProbeView } } },
    async () => ({ status: 'ok' }),
  );
  app.get(
    '/readyz',
    {
      config: { isOpen: true },
      schema: {
        summary: 'Whether it takes connections; not while it starts or drains',
        response: { 200: ProbeView, 503: ProbeView },
      },
    },
    async (_request, reply) => {
      const readiness = plane.readiness();
      return reply.code(readiness === 'ready' ? 200 : 503).send({ status: readiness });
    },
  );
}
