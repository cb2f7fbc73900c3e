// API tokens: made, listed, revoked. A token itself is answered once, when it is made.

import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { isRecord } from '../../core/config/problem.ts';
import { StoreError } from '../store/store.ts';
import { TOKEN_LABEL_CHARS_MAX, TOKEN_SCOPES, type TokenScope } from '../store/tokens.ts';
import { requireWriter } from './auth.ts';
import type { ApiContext } from './context.ts';
import { ApiError, type ErrorItem, notFound } from './errors.ts';
import { idOf } from './requests.ts';

const TokenView = Type.Object({
  id: Type.Integer(),
  label: Type.String(),
  scope: Type.Enum([...TOKEN_SCOPES]),
  created: Type.String(),
  used: Type.Union([Type.String(), Type.Null()]),
});
const NewToken = Type.Object({
  label: Type.String({ minLength: 1, maxLength: TOKEN_LABEL_CHARS_MAX }),
  scope: Type.Enum([...TOKEN_SCOPES]),
});

/** @throws StoreError when the disk does not take it */
function written<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new StoreError(`the token cannot be written: ${error instanceof Error ? error.message : error}`);
  }
}

export function tokenRoutes(app: FastifyInstance, { tokens }: ApiContext): void {
  app.get(
    '/balancer/v1/tokens',
    {
      schema: {
        summary: 'All tokens, without their secrets',
        response: { 200: Type.Object({ data: Type.Array(TokenView) }) },
      },
    },
    async (request) => {
      // Names of tokens are no secret, but of no use to whoever cannot make or revoke one.
      requireWriter(request);
      return { data: [...tokens.list()] };
    },
  );
  app.post(
    '/balancer/v1/tokens',
    {
      schema: {
        summary: 'Create a token; it is answered this once',
        body: NewToken,
        response: { 200: Type.Object({ ...TokenView.properties, token: Type.String() }) },
      },
    },
    async (request) => {
      const { label, scope } = readNewToken(request.body);
      const { token, info } = written(() => tokens.create(label, scope));
      return { ...info, token };
    },
  );
  app.delete(
    '/balancer/v1/tokens/:tokenId',
    { schema: { summary: 'Revoke a token: it is good for nothing from now on', response: { 200: Type.Object({}) } } },
    async (request) => {
      const id = idOf(request, 'tokenId');
      if (!written(() => tokens.revoke(id))) throw notFound();
      return {};
    },
  );
}

function readNewToken(body: unknown): { readonly label: string; readonly scope: TokenScope } {
  const errors: ErrorItem[] = [];
  const { label, scope } = isRecord(body) ? body : {};
  const isLabel = typeof label === 'string' && label.length <= TOKEN_LABEL_CHARS_MAX && /^[^\p{C}]+$/u.test(label);
  if (!isLabel)
    errors.push({ field: 'label', reason: `Must be a text of 1 to ${TOKEN_LABEL_CHARS_MAX} printable characters` });
  const known = TOKEN_SCOPES.find((name) => name === scope);
  if (known === undefined) errors.push({ field: 'scope', reason: `Must be ${TOKEN_SCOPES.join(' or ')}` });
  if (!isLabel || known === undefined) throw new ApiError(400, errors);
  return { label, scope: known };
}
