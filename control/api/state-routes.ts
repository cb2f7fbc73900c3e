// What the process is doing, and with which settings.

import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import type { ApiContext } from './context.ts';

/** Its shape is `Snapshot` of workers/snapshot.ts, which `balancer status --json` prints, too. */
const StateView = Type.Object({
  version: Type.String(),
  pid: Type.Integer(),
  started: Type.String(),
  shards: Type.Integer(),
  sessions: Type.Integer(),
  connections_max: Type.Integer(),
  frontends: Type.Array(Type.Object({}, { additionalProperties: true })),
});

const VersionView = Type.Object({
  version: Type.String(),
  node: Type.String({ description: 'The version of Node.js.' }),
  pid: Type.Integer(),
  started: Type.String(),
  file: Type.Union([Type.String(), Type.Null()], {
    description: 'The configuration file that is the only truth of this process.',
  }),
});

const SettingsView = Type.Object({
  data: Type.Array(
    Type.Object({
      name: Type.String(),
      value: Type.String(),
      source: Type.Enum(['environment', 'default']),
      meaning: Type.String(),
    }),
  ),
});

export function stateRoutes(app: FastifyInstance, { plane }: ApiContext): void {
  app.get(
    '/balancer/v1/state',
    { schema: { summary: 'Frontends and nodes with their state, reasons and counts', response: { 200: StateView } } },
    async () => plane.snapshot(),
  );
  app.get(
    '/balancer/v1/settings',
    { schema: { summary: 'The settings in effect and where each comes from', response: { 200: SettingsView } } },
    async () => ({ data: [...plane.settings()] }),
  );
  app.get(
    '/balancer/v1/version',
    { schema: { summary: 'What runs, since when, and from which file', response: { 200: VersionView } } },
    async () => {
      const { version, pid, started } = plane.snapshot();
      return { version, node: process.version, pid, started, file: plane.file ?? null };
    },
  );
}
