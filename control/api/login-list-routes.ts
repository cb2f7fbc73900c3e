// The page's logins, and one-time addresses that nobody has opened yet: listed, and ended.

import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { TOKEN_SCOPES } from '../store/tokens.ts';
import { requireWriter } from './auth.ts';
import type { ApiContext } from './context.ts';
import { notFound } from './errors.ts';
import { idOf } from './requests.ts';

const LoginView = Type.Object({
  id: Type.Integer(),
  author: Type.String(),
  scope: Type.Enum([...TOKEN_SCOPES]),
  kind: Type.Enum(['token', 'one_time'], {
    description: 'How somebody got in: with a token, or by a one-time address.',
  }),
  created: Type.String(),
  opened: Type.Union([Type.String(), Type.Null()], { description: 'null: an address that nobody has opened yet.' }),
  until: Type.String(),
});

export function loginListRoutes(app: FastifyInstance, { logins }: ApiContext): void {
  app.get(
    '/balancer/v1/logins',
    {
      schema: {
        summary: 'Who is logged in at the page, and which one-time addresses may still be opened',
        response: { 200: Type.Object({ data: Type.Array(LoginView) }) },
      },
    },
    async (request) => {
      requireWriter(request);
      return { data: [...logins.list()] };
    },
  );
  app.delete(
    '/balancer/v1/logins/:loginId',
    { schema: { summary: 'End a login, or take a one-time address back', response: { 200: Type.Object({}) } } },
    async (request) => {
      if (!logins.revoke(idOf(request, 'loginId'))) throw notFound();
      return {};
    },
  );
}
