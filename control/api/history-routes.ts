// Every change and the way back; the configuration as a file, and a file as the configuration.

import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { FILE_BYTES_MAX } from '../../core/config/limits.ts';
import type { Config } from '../../core/config/model.ts';
import type { OwnAddresses } from '../../core/config/own-ports.ts';
import { isRecord } from '../../core/config/problem.ts';
import { validateConfig } from '../../core/config/validate.ts';
import { yamlText } from '../../core/config/yaml-text.ts';
import { configOf } from '../store/inventory.ts';
import type { RevisionInfo } from '../store/store.ts';
import type { ApiContext } from './context.ts';
import { apiError, notFound } from './errors.ts';
import { queryFlag, queryText } from './query.ts';
import { refuse } from './request-check.ts';
import { idOf, matches } from './requests.ts';

const PAGE_DEFAULT = 100;
const PAGE_MAX = 500;

const RevisionView = Type.Object({
  revision: Type.Integer(),
  time: Type.String(),
  author: Type.String(),
  changes: Type.Array(Type.String()),
});
const Configuration = Type.Object({ nodebalancers: Type.Array(Type.Object({}, { additionalProperties: true })) });
const HistoryQuery = Type.Object({
  before: Type.Optional(Type.Integer({ minimum: 1, description: 'Only revisions below this one.' })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: PAGE_MAX, default: PAGE_DEFAULT })),
});
const ApplyQuery = Type.Object({
  base: Type.Optional(
    Type.Integer({ minimum: 0, description: 'Only if this is still the latest revision: 409 if it is not.' }),
  ),
  dry_run: Type.Optional(Type.Boolean({ default: false, description: 'Only answer what would change.' })),
});
const ExportQuery = Type.Object({
  format: Type.Optional(Type.Enum(['json', 'yaml'], { default: 'json' })),
});
const Changes = Type.Object({ revision: Type.Integer(), changes: Type.Array(Type.String()) });

export function historyRoutes(app: FastifyInstance, context: ApiContext): void {
  const { store, changes } = context;
  /** Whether the configuration as a whole is what the client saw. */
  const isAsSeen = (request: FastifyRequest): boolean => matches(request, () => [etagOf(store.read())]);

  app.get(
    '/balancer/v1/history',
    {
      schema: {
        summary: 'Revisions of the configuration, newest first, with author and differences',
        querystring: HistoryQuery,
        response: { 200: Type.Object({ data: Type.Array(RevisionView) }) },
      },
    },
    async (request) => {
      const before = numberOf(request.query, 'before', 1, Number.MAX_SAFE_INTEGER);
      return { data: [...store.history(numberOf(request.query, 'limit', 1, PAGE_MAX) ?? PAGE_DEFAULT, before)] };
    },
  );

  app.get(
    '/balancer/v1/history/:revision',
    {
      schema: {
        summary: 'One revision with its whole configuration',
        response: { 200: Type.Object({ ...RevisionView.properties, configuration: Configuration }) },
      },
    },
    async (request) => {
      const found = store.at(idOf(request, 'revision'));
      if (found === undefined) throw notFound();
      const { inventory, ...info } = found;
      return { ...info, configuration: configOf(inventory) };
    },
  );

  app.post(
    '/balancer/v1/rollback',
    {
      schema: {
        summary: 'Make the configuration what it was at a revision, as a new revision',
        body: Type.Object({ revision: Type.Integer({ minimum: 0 }) }),
        response: { 200: Changes },
      },
    },
    async (request, reply) => {
      const revision = isRecord(request.body) ? request.body.revision : undefined;
      if (typeof revision !== 'number' || !Number.isSafeInteger(revision) || revision < 0) {
        throw apiError(400, 'Must be the number of a revision', 'revision');
      }
      const before = store.read().revision;
      const made = await changes.rollback(request.caller.author, revision, () => isAsSeen(request));
      if (made === undefined) throw apiError(404, `There is no revision ${revision}, or no longer.`, 'revision');
      reply.header('etag', etagOf(made));
      return { revision: made.revision, changes: made.revision === before ? [] : [...made.changes] };
    },
  );

  app.get(
    '/balancer/v1/configuration',
    {
      schema: {
        summary: 'The configuration as a file for "balancer run -f"',
        querystring: ExportQuery,
        response: { 200: Configuration },
      },
    },
    async (request, reply) => {
      const format = queryText(request.query, 'format') ?? 'json';
      const latest = store.read();
      reply.header('etag', etagOf(latest));
      // Every field, also where it has its default: what is in force must not change with another version's defaults.
      const config = configOf(latest.inventory);
      if (format === 'json') return config;
      if (format !== 'yaml') throw apiError(400, 'Must be json or yaml', 'format');
      reply.header('content-disposition', 'attachment; filename="balancer.yaml"');
      return reply.type('application/yaml').send(yamlText(config));
    },
  );

  app.put(
    '/balancer/v1/configuration',
    {
      bodyLimit: FILE_BYTES_MAX,
      schema: {
        summary: "Replace the whole configuration by a file's",
        querystring: ApplyQuery,
        body: Configuration,
        response: { 200: Changes },
      },
    },
    async (request, reply) => {
      const config = checked(request.body, context.own());
      const isDryRun = queryFlag(request.query, 'dry_run');
      const { revision } = store.read();
      if (isDryRun) return { revision, changes: [...changes.preview(config)] };
      const base = numberOf(request.query, 'base', 0, Number.MAX_SAFE_INTEGER);
      const isCurrent = () => (base === undefined || store.read().revision === base) && isAsSeen(request);
      const made = await changes.replace(request.caller.author, config, isCurrent);
      reply.header('etag', etagOf(made));
      return { revision: made.revision, changes: made.revision === revision ? [] : [...made.changes] };
    },
  );
}

/** Of the configuration as a whole. */
function etagOf({ revision }: RevisionInfo): string {
  return `"${revision}"`;
}

/** @throws ApiError 400 with all that is wrong */
function checked(body: unknown, own: OwnAddresses): Config {
  const validated = validateConfig(body, own);
  if ('config' in validated) return validated.config;
  refuse([validated.problems]);
  throw new Error('a configuration was refused without a reason');
}

function numberOf(query: unknown, name: string, min: number, max: number): number | undefined {
  const text = queryText(query, name);
  if (text === undefined) return undefined;
  if (/^(?:0|[1-9]\d{0,14})$/.test(text) && Number(text) >= min && Number(text) <= max) return Number(text);
  throw apiError(400, `Must be an integer from ${min} to ${max}`, name);
}
