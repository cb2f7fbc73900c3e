// What happens, as it happens: node states, shards, changes of the configuration.

import { randomBytes } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { isStillKnown } from './auth.ts';
import type { ApiContext } from './context.ts';
import { apiError } from './errors.ts';
import { EventFeed, READERS_MAX } from './event-feed.ts';

const PING_MS = 15_000;
/** Then the reader comes again by itself, and shows anew who it is. */
const READING_MS = 15 * 60_000;
const RETRY_AFTER_S = 30;

export function eventRoutes(app: FastifyInstance, { plane, store, tokens, logins, now }: ApiContext): void {
  // A stream never makes room for anybody; so half of the connections are for everything else.
  const readersMax = Math.min(READERS_MAX, Math.ceil(app.connections.connectionsMax / 2));
  const feed = new EventFeed(randomBytes(6).toString('hex'), readersMax);
  const endPlane = plane.watch((event) => feed.publish(event));
  const endStore = store.watch(({ revision, author, changes }) =>
    feed.publish({
      time: new Date(now()).toISOString(),
      kind: 'configuration',
      message: `revision ${revision} by ${author}: ${changes.join('; ')}`,
    }),
  );
  const pings = setInterval(() => feed.ping(), PING_MS);
  pings.unref();
  app.addHook('preClose', async () => {
    clearInterval(pings);
    endPlane();
    endStore();
    feed.close();
  });

  app.get(
    '/balancer/v1/events',
    {
      // An answer without a body would wait for events, too.
      exposeHeadRoute: false,
      schema: { summary: 'What happens, as server-sent events', response: { 200: Type.String() } },
    },
    async (request, reply) => {
      if (feed.isFull) {
        reply.header('retry-after', RETRY_AFTER_S);
        throw apiError(503, `There are ${readersMax} readers already.`);
      }
      const lastSeen = request.headers['last-event-id'];
      reply.hijack();
      const { raw } = reply;
      raw.writeHead(200, {
        ...(reply.getHeaders() as Record<string, string>),
        'content-type': 'text/event-stream',
        'x-accel-buffering': 'no',
      });
      raw.write('retry: 2000\n\n');
      const isWelcome = () => app.isTrusted || isStillKnown(request, { tokens, logins });
      feed.join(raw, typeof lastSeen === 'string' ? lastSeen : undefined, isWelcome);
      const end = setTimeout(() => raw.end(), READING_MS);
      end.unref();
      raw.on('close', () => clearTimeout(end));
    },
  );
}
