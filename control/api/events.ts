// What happens, as it happens: server-sent events (html.spec.whatwg.org, section 9.2). A reader that does not read is let go, instead
// of being kept everything for; after a pause it is told what it missed, from a short memory.

import type { ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import type { PlaneEvent } from '../data-plane.ts';
import type { ApiContext } from './context.ts';
import { apiError } from './errors.ts';

const READERS_MAX = 100;
const KEPT = 200;
const PING_MS = 15_000;
/** what may wait for one reader */
const UNSENT_BYTES_MAX = 256 << 10;

interface KeptEvent {
  readonly id: number;
  readonly text: string;
}

export function eventRoutes(app: FastifyInstance, { plane, store, now }: ApiContext): void {
  const readers = new Set<ServerResponse>();
  const kept: KeptEvent[] = [];
  // Ids go on after a restart: a reader that comes back has a smaller one.
  let lastId = now();

  const publish = (event: PlaneEvent): void => {
    const id = ++lastId;
    const text = `id: ${id}\ndata: ${JSON.stringify(event)}\n\n`;
    kept.push({ id, text });
    if (kept.length > KEPT) kept.shift();
    for (const reader of readers) send(reader, text);
  };
  const send = (reader: ServerResponse, text: string): void => {
    if (reader.writableLength > UNSENT_BYTES_MAX) reader.destroy();
    else reader.write(text);
  };

  const endPlane = plane.watch(publish);
  const endStore = store.watch(({ revision, author, changes }) =>
    publish({
      time: new Date(now()).toISOString(),
      kind: 'configuration',
      message: `revision ${revision} by ${author}: ${changes.join('; ')}`,
    }),
  );
  const pings = setInterval(() => {
    for (const reader of readers) send(reader, ': still here\n\n');
  }, PING_MS);
  pings.unref();
  app.addHook('preClose', async () => {
    clearInterval(pings);
    endPlane();
    endStore();
    for (const reader of readers) reader.end();
  });

  app.get(
    '/balancer/v1/events',
    { schema: { summary: 'What happens, as server-sent events' } },
    async (request, reply) => {
      if (readers.size >= READERS_MAX) throw apiError(503, `There are ${READERS_MAX} readers already.`);
      const lastSeen = Number(request.headers['last-event-id'] ?? 0);
      reply.hijack();
      const { raw } = reply;
      raw.writeHead(200, {
        ...(reply.getHeaders() as Record<string, string>),
        'content-type': 'text/event-stream',
        'x-accel-buffering': 'no',
      });
      raw.write('retry: 2000\n\n');
      readers.add(raw);
      raw.on('close', () => readers.delete(raw));
      raw.on('error', () => raw.destroy());
      for (const { id, text } of kept) if (!(id <= lastSeen)) send(raw, text);
    },
  );
}
