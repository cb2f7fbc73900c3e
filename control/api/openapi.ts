// The API's own description, OpenAPI 3.1, collected from the routes' schemas as they are registered; and a plain page of it for
// people.

import type { FastifyInstance, RouteOptions } from 'fastify';
import { published } from './json-schema.ts';
import { commandOf, operationName } from './openapi-names.ts';
import { WARNINGS_HEADER } from './unknown-keys.ts';

interface Operation {
  readonly method: string;
  /** `/nodebalancers/{id}`, without the version */
  readonly path: string;
  readonly isOpen: boolean;
  readonly schema: Readonly<Record<string, unknown>>;
}

const INTRODUCTION =
  'The NodeBalancer part of the Linode API v4, on your own machine, under /v4 and /v4beta alike. What differs: `protocol` omitted ' +
  'means tcp, because http, https and udp are not served yet; any unicast address may be a node; fields marked as an extension are ' +
  'ours. Every write is answered after it is in force. The ETag of what was read, sent back as If-Match, keeps a change from ' +
  'overwriting another (409): that of a thing when it is changed or deleted; that of a list, or of what the list belongs to, when ' +
  'something is created in it; that of the whole configuration when it is replaced or rolled back.';

export class OpenApi {
  readonly #operations: Operation[] = [];

  constructor(app: FastifyInstance) {
    app.addHook('onRoute', (route) => this.#add(route));
  }

  /** The document and the page themselves. */
  routes(app: FastifyInstance): void {
    // Made once, when somebody first asks: then all routes are known, and none is added any more.
    const document = once(() => Buffer.from(JSON.stringify(this.document())));
    const page = once(() => Buffer.from(this.page()));
    app.get('/openapi.json', { config: { isOpen: true } }, async (_request, reply) =>
      reply.type('application/json; charset=utf-8').send(document()),
    );
    app.get('/docs/api', { config: { isOpen: true } }, async (_request, reply) => {
      reply.header('content-security-policy', "default-src 'none'");
      return reply.type('text/html; charset=utf-8').send(page());
    });
  }

  document(): Record<string, unknown> {
    const paths: Record<string, Record<string, unknown>> = {};
    for (const operation of this.#operations) {
      const path = paths[operation.path] ?? describePath(operation.path);
      paths[operation.path] = path;
      path[operation.method] = describe(operation);
    }
    return {
      openapi: '3.1.0',
      info: { title: 'balancer', version: '4', description: INTRODUCTION },
      servers: [{ url: '/v4' }, { url: '/v4beta' }],
      security: [{ token: [] }],
      paths,
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
    };
  }

  page(): string {
    const rows = this.#operations.map(({ method, path, schema }) => {
      const summary = typeof schema.summary === 'string' ? schema.summary : '';
      return `<tr><td><code>${method.toUpperCase()}</code></td><td><code>${escapeHtml(path)}</code></td><td>${escapeHtml(summary)}</td></tr>`;
    });
    return [
      '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>balancer: API</title></head><body>',
      `<h1>balancer: API</h1><p>${escapeHtml(INTRODUCTION)}</p>`,
      '<p>Every field, range and default: <a href="/openapi.json">openapi.json</a>.</p>',
      '<table><thead><tr><th scope="col">Method</th><th scope="col">Path</th><th scope="col">What it does</th></tr></thead>',
      `<tbody>${rows.join('\n')}</tbody></table></body></html>`,
    ].join('\n');
  }

  #add(route: RouteOptions): void {
    // The second version is the first one's twin.
    if (route.url.startsWith('/v4beta') || route.schema === undefined) return;
    const path = route.url.replace(/^\/v4(?=\/|$)/, '').replace(/:(\w+)/g, '{$1}');
    for (const method of [route.method].flat()) {
      if (method === 'HEAD' || method === 'OPTIONS') continue;
      const isOpen = route.config?.isOpen === true;
      this.#operations.push({
        method: method.toLowerCase(),
        path,
        isOpen,
        schema: route.schema as Record<string, unknown>,
      });
    }
  }
}

function once(make: () => Buffer): () => Buffer {
  let made: Buffer | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** What all operations of a path have in common; that is where linode-cli looks for what it must be given. */
function describePath(path: string): Record<string, unknown> {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
  const parameters = names.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } }));
  return { 'x-linode-cli-command': commandOf(path), ...(parameters.length === 0 ? {} : { parameters }) };
}

function describe({ method, path, isOpen, schema }: Operation): Record<string, unknown> {
  const { summary, body, querystring, response } = published(schema) as Operation['schema'];
  const query = typeof querystring === 'object' && querystring !== null ? Reflect.get(querystring, 'properties') : {};
  const { id, action } = operationName(path, method);
  const isOurs = path.startsWith('/balancer') || isRoot(path);
  return {
    operationId: id,
    'x-linode-cli-action': action,
    ...(summary === undefined ? {} : { summary }),
    ...(isOpen ? { security: [] } : {}),
    // Ours live beside the versions, not below them, where alone linode-cli looks.
    ...(isOurs ? { servers: [{ url: '/' }], 'x-linode-cli-skip': true } : {}),
    parameters: Object.entries(query ?? {}).map(([name, value]) => ({ name, in: 'query', schema: value })),
    ...(body === undefined ? {} : { requestBody: { content: { 'application/json': { schema: body } } } }),
    responses: responsesOf(response, body === undefined || isOurs ? {} : { headers: WARNINGS }),
  };
}

const ROOT_PATHS: ReadonlySet<string> = new Set(['/metrics', '/livez', '/readyz']);

function isRoot(path: string): boolean {
  return ROOT_PATHS.has(path);
}

const WARNINGS = {
  [WARNINGS_HEADER]: { description: 'Keys of the body that were ignored as unknown.', schema: { type: 'string' } },
};

/** @param more what every answer has besides */
function responsesOf(response: unknown, more: object): Record<string, unknown> {
  const answers = typeof response === 'object' && response !== null ? Object.entries(response) : [];
  return Object.fromEntries([
    ...answers.map(([status, schema]) => [
      status,
      { description: 'the answer', ...more, content: { 'application/json': { schema } } },
    ]),
    ['default', { description: 'what is wrong', ...more, content: { 'application/json': { schema: ERROR_SCHEMA } } }],
  ]);
}

const ERROR_SCHEMA = {
  type: 'object',
  required: ['errors'],
  properties: {
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['reason'],
        properties: {
          reason: { type: 'string' },
          field: { type: 'string', description: 'configs[0].nodes[0].address' },
        },
      },
    },
  },
};

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ENTITIES[character] ?? character);
}
