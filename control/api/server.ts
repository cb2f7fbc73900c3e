// The HTTP server: what every request passes before a route sees it, and every answer after. What is answered is in the route
// modules, listed in routes.ts.

import type { Server } from 'node:http';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { createServer as createHttpServer } from '../../workers/node-http.ts';
import { authenticate, authorize } from './auth.ts';
import { answerBrokenRequest } from './broken-requests.ts';
import { type Caller, OPERATOR } from './caller.ts';
import { Connections } from './connections.ts';
import type { ApiContext } from './context.ts';
import { type ApiError, apiError, asApiError, notFound } from './errors.ts';
import { checkHost, setFixedHeaders } from './headers.ts';
import { BODY_BYTES_MAX, readJsonBody } from './json-body.ts';
import { OpenApi } from './openapi.ts';
import { type RateKind, RateLimit } from './rate-limit.ts';
import { API_ROUTES, ROOT_ROUTES } from './routes.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** of all callers of this server */
    rateLimit: RateLimit;
    connections: Connections;
    /** HTTPS */
    isSecure: boolean;
    /** the local socket: whoever can open it is the operator */
    isTrusted: boolean;
  }
  interface FastifyRequest {
    /** set before any route that is not open */
    caller: Caller;
  }
  interface FastifySchema {
    /** one line, for the description of the API */
    summary?: string;
  }
  interface FastifyContextConfig {
    /** needs no token */
    isOpen?: boolean;
    /** needs no token when asked from this machine */
    isOpenLocally?: boolean;
    /** changes nothing although it is no GET: a read_only token is enough */
    isReading?: boolean;
    rate?: RateKind;
  }
}

export interface ServerOptions {
  /** the local socket: whoever can open it is the operator */
  readonly trusted: boolean;
  /** PEM texts: HTTPS instead of HTTP */
  readonly tls?: { readonly certificate: string; readonly key: string } | undefined;
  /** names in Host headers that mean us, besides addresses and localhost */
  readonly hosts?: readonly string[];
  /** at a time */
  readonly connectionsMax?: number;
}

const HEADERS_TIMEOUT_MS = 5000;
/** of headers and body together */
const REQUEST_TIMEOUT_MS = 30_000;
/** how often Node.js looks whether the two above are over; its own half a minute would make 35 s of 5 */
const TIMEOUT_CHECK_MS = 1000;
const KEEP_ALIVE_MS = 72_000;
const CONNECTIONS_MAX = 1000;
const URL_PART_CHARS_MAX = 128;

export function createServer(context: ApiContext, options: ServerOptions): FastifyInstance {
  const { trusted, tls, hosts = [], connectionsMax = CONNECTIONS_MAX } = options;
  const limit = new RateLimit();
  const connections = new Connections({ connectionsMax });
  const app: FastifyInstance = Fastify({
    logger: false,
    bodyLimit: BODY_BYTES_MAX,
    forceCloseConnections: true,
    exposeHeadRoutes: true,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: URL_PART_CHARS_MAX },
    // What has no route for its path's own sake passes no hook: it is answered here, like any other path that there is not.
    frameworkErrors: (_error, _request, reply) => {
      setFixedHeaders(reply);
      sendError(reply, notFound());
    },
    clientErrorHandler: answerBrokenRequest,
    serverFactory: (handler) => {
      const server = makeHttpServer(tls);
      connections.serve(server, tls !== undefined, handler);
      return server;
    },
  }) as unknown as FastifyInstance;
  const openApi = new OpenApi(app);
  acceptJsonOnly(app);
  app.decorate('rateLimit', limit);
  app.decorate('connections', connections);
  app.decorate('isSecure', tls !== undefined);
  app.decorate('isTrusted', trusted);
  app.decorateRequest('caller');
  app.addHook('onRequest', (request, reply, done) => {
    setFixedHeaders(reply);
    try {
      if (!trusted) checkHost(request, hosts);
      if (request.method === 'OPTIONS') {
        reply.code(200).send();
        return;
      }
      enter(request, reply, context, app, trusted);
      done();
    } catch (error) {
      done(error as Error);
    }
  });
  app.addHook('onSend', (request, _reply, payload, done) => {
    if (typeof payload === 'string' || Buffer.isBuffer(payload)) {
      connections.makeRoomForBytes(request.raw.socket, payload.length);
    }
    done(null, payload);
  });
  app.addHook('onResponse', (request, reply, done) => {
    const isWrite = request.method !== 'GET' && request.method !== 'HEAD' && request.method !== 'OPTIONS';
    if (isWrite)
      context.audit(`${request.caller?.author ?? '-'} ${request.method} ${auditedUrl(request)} -> ${reply.statusCode}`);
    done();
  });
  app.setErrorHandler((error, request, reply) => {
    const known = toApiError(error, context, request.routeOptions.bodyLimit);
    if (known.status === 429) reply.header('retry-after', limit.retryAfterS(context.now()));
    sendError(reply, known);
  });
  app.setNotFoundHandler((_request, reply) => sendError(reply, notFound()));
  for (const prefix of ['/v4', '/v4beta']) {
    app.register(
      async (api) => {
        for (const routes of API_ROUTES) routes(api, context);
      },
      { prefix },
    );
  }
  app.register(async (root) => {
    for (const routes of ROOT_ROUTES) routes(root, context);
    openApi.routes(root);
  });
  return app;
}

function makeHttpServer(tls: ServerOptions['tls']): Server {
  const limits = {
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionsCheckingInterval: TIMEOUT_CHECK_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    requireHostHeader: false,
  };
  if (tls === undefined) return createHttpServer(limits);
  const { certificate: cert, key } = tls;
  // Not imported: only who has a certificate needs it.
  const https = process.getBuiltinModule('node:https');
  return https.createServer({ ...limits, cert, key, handshakeTimeout: HEADERS_TIMEOUT_MS });
}

/** The answers to bodies are our own: see request-check.ts. Schemas of routes only describe. */
function acceptJsonOnly(app: FastifyInstance): void {
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => (value) => JSON.stringify(value));
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
    try {
      done(null, readJsonBody(body as Buffer));
    } catch (error) {
      done(error as Error);
    }
  });
}

function enter(
  request: FastifyRequest,
  reply: FastifyReply,
  context: ApiContext,
  app: FastifyInstance,
  trusted: boolean,
): void {
  const limit = app.rateLimit;
  const { isOpen = false, isOpenLocally = false, rate = 'other' } = request.routeOptions.config;
  if (isOpen || (isOpenLocally && !trusted && isFromHere(request))) return;
  const caller = trusted ? OPERATOR : authenticate(request, context, limit);
  request.caller = caller;
  app.connections.noteLogin(request.raw.socket);
  reply.header('x-oauth-scopes', caller.scope === 'read_write' ? '*' : 'nodebalancers:read_only');
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  reply.header('x-accepted-oauth-scopes', `nodebalancers:${isRead ? 'read_only' : 'read_write'}`);
  if (request.routeOptions.config.isReading !== true) authorize(request, caller);
  if (trusted) return;
  const state = limit.take(caller.author, rate, context.now());
  reply.header('x-ratelimit-limit', state.limit);
  reply.header('x-ratelimit-remaining', state.remaining);
  reply.header('x-ratelimit-reset', state.resetS);
  if (!state.isExceeded) return;
  throw apiError(429, 'Too many requests');
}

/**
 * For the log, which a journal keeps: what somebody sends to a wrong place may be a token, or the
 * code of an address.
 */
function auditedUrl({ url }: FastifyRequest): string {
  const [path = ''] = url.split('?');
  return path.replaceAll(/balancer_[\w-]+/g, 'balancer_…');
}

/** A program on this machine. A browser on it asks in the name of whatever site its user looks at, and says so in one of two headers. */
function isFromHere({ headers, ip }: FastifyRequest): boolean {
  const isOfSite = headers.origin !== undefined || (headers['sec-fetch-site'] ?? 'none') !== 'none';
  return !isOfSite && (ip === '::1' || ip.startsWith('127.') || ip.startsWith('::ffff:127.'));
}

/** What Fastify itself refuses, in our words. */
const REFUSALS: Readonly<Record<string, ApiError>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: apiError(415, 'The body must be of type application/json.'),
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: apiError(400, 'The body is shorter or longer than Content-Length says.'),
};

/** @param bodyBytesMax of the route */
function toApiError(error: unknown, context: ApiContext, bodyBytesMax: number): ApiError {
  const known = asApiError(error);
  if (known !== undefined) return known;
  const code = typeof error === 'object' && error !== null ? Reflect.get(error, 'code') : undefined;
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return apiError(413, `The body must be at most ${bodyBytesMax} bytes.`);
  const refusal = typeof code === 'string' ? REFUSALS[code] : undefined;
  if (refusal !== undefined) return refusal;
  const status = typeof error === 'object' && error !== null ? Reflect.get(error, 'statusCode') : undefined;
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return apiError(status, error instanceof Error ? error.message : 'Bad request');
  }
  context.fault(error);
  return apiError(500, 'A mistake of the balancer: its log says more. Connections are not concerned.');
}

function sendError(reply: FastifyReply, { status, errors }: ApiError): void {
  reply.code(status).type('application/json').send({ errors });
}
