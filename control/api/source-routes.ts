// Which addresses nodes see the balancer come from: what their servers have to trust. The routes of the system decide it, unless
// BALANCER_SOURCE_ADDRESSES does; so the system is asked, and nothing is sent to anybody.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { FastifyInstance } from 'fastify';
import { type Static, Type } from 'typebox';
import { formatIp, parseIp } from '../../core/base/ip.ts';
import { parseNodeAddress } from '../../core/config/node-address.ts';
import { isRecord } from '../../core/config/problem.ts';
import type { ApiContext } from './context.ts';
import { apiError } from './errors.ts';

const NODES_MAX = 100;
const SETTING = 'BALANCER_SOURCE_ADDRESSES';

const Request = Type.Object({
  nodes: Type.Array(Type.String(), { description: 'Addresses of nodes: 192.0.2.10:80.', maxItems: NODES_MAX }),
});
const SourcesView = Type.Object({ addresses: Type.Array(Type.String()) });

export function sourceRoutes(app: FastifyInstance, { plane }: ApiContext): void {
  app.post(
    '/balancer/v1/source_addresses',
    {
      // Changes nothing: whoever may look may ask.
      config: { isReading: true },
      schema: {
        summary: 'The addresses that the balancer connects to nodes from',
        description: 'Without a node that has an IP address, or a way to it, there are none.',
        body: Request,
        response: { 200: SourcesView },
      },
    },
    async (request): Promise<Static<typeof SourcesView>> => {
      const ips = readNodes(request.body);
      const chosen = plane.settings().find(({ name }) => name === SETTING)?.value ?? '';
      // The setting's default is a text of words.
      const own = chosen.split(/[\s,]+/).flatMap((text) => parseIp(text) ?? []);
      if (own.length > 0) return { addresses: own.map((ip) => formatIp(ip, 0)) };
      const found = await Promise.all(ips.map(sourceFor));
      return { addresses: [...new Set(found.flatMap((address) => address ?? []))] };
    },
  );
}

/** @returns IP addresses; names are left out: looking them up is not for whoever may ask here @throws ApiError 400 */
function readNodes(body: unknown): readonly string[] {
  const nodes: unknown = isRecord(body) ? body.nodes : undefined;
  if (!Array.isArray(nodes) || nodes.length > NODES_MAX) {
    throw apiError(400, `Must be a list of at most ${NODES_MAX} node addresses`, 'nodes');
  }
  const ips = nodes.flatMap((node: unknown) => {
    const ip = typeof node === 'string' ? parseNodeAddress(node)?.ip : undefined;
    return ip === undefined ? [] : [formatIp(ip, 0)];
  });
  return [...new Set(ips)];
}

/** @returns undefined when there is no way to it */
async function sourceFor(ip: string): Promise<string | undefined> {
  const socket = createSocket(ip.includes(':') ? 'udp6' : 'udp4');
  try {
    // Any port will do: a datagram socket that is connected has sent nothing.
    socket.connect(9, ip);
    await once(socket, 'connect');
    return socket.address().address;
  } catch {
    return undefined;
  } finally {
    socket.close();
  }
}
