// Headers that every answer has, as the Linode API sends them; and whom we answer at all.

import type { FastifyReply, FastifyRequest } from 'fastify';
import { withoutRootDot } from '../../core/config/node-address.ts';
import { apiError } from './errors.ts';

const SPEC_VERSION = '4.176.0';

const FIXED: Readonly<Record<string, string>> = {
  'access-control-allow-credentials': 'true',
  'access-control-allow-headers': 'Authorization, Origin, X-Requested-With, Content-Type, Accept, X-Filter, If-Match',
  'access-control-allow-methods': 'HEAD, GET, OPTIONS, POST, PUT, DELETE',
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'X-OAuth-Scopes, X-Accepted-OAuth-Scopes, X-Status, ETag, Warnings',
  'cache-control': 'max-age=0, no-cache, no-store',
  'content-security-policy': "default-src 'none'",
  vary: 'Authorization, X-Filter',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'x-spec-version': SPEC_VERSION,
};

export function setFixedHeaders(reply: FastifyReply): void {
  reply.headers(FIXED);
}

/** Names that mean this machine to whoever asks: any IP address, and localhost. */
const IP_OR_LOCAL = /^(?:localhost\.?|\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i;

/**
 * A page of another site can make a browser ask us under its own name, once it has pointed that name at our address (DNS
 * rebinding); under an address, or a name that we know, it cannot.
 * @param hosts names besides, without ports @throws ApiError 400 or 403
 */
export function checkHost(request: FastifyRequest, hosts: readonly string[]): void {
  const { host } = request.headers;
  // HTTP/1.0, as plain health checks speak it: no browser leaves the header out.
  if (host === undefined && request.raw.httpVersion !== '1.0') throw apiError(400, 'The Host header is missing.');
  if (host === undefined || IP_OR_LOCAL.test(host)) return;
  const name = withoutRootDot(host.replace(/:\d+$/, '').toLowerCase());
  // A certificate's `*` stands for one label, the first (RFC 6125, 6.4.3).
  if (hosts.includes(name) || hosts.includes(name.replace(/^[^.]+/, '*'))) return;
  throw apiError(403, 'The Host header names neither an address of this machine nor a name of its certificate.');
}
