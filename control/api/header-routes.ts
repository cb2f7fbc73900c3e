// What a config would send to its nodes for a given client: the bytes, from the encoder that the data path uses.

import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { DESTINATION_AT, DESTINATION_PORT_AT, ENDPOINTS_BYTES, SOURCE_PORT_AT } from '../../core/base/ip.ts';
import { parseNodeAddress } from '../../core/config/node-address.ts';
import { isRecord } from '../../core/config/problem.ts';
import { describeHeader } from '../../core/proxy-protocol/describe.ts';
import { createHeaderTemplate } from '../../core/proxy-protocol/template.ts';
import type { ApiContext } from './context.ts';
import { ApiError, type ErrorItem } from './errors.ts';

const Request = Type.Object({
  proxy_protocol: Type.Enum(['none', 'v1', 'v2']),
  proxy_protocol_crc32c: Type.Optional(Type.Boolean({ default: false })),
  client: Type.String({ description: 'The client: 192.0.2.1:50000 or [2001:db8::1]:50000.' }),
  local: Type.String({ description: 'What it connected to: 203.0.113.7:80.' }),
});
const HeaderView = Type.Object({
  bytes: Type.Integer(),
  hex: Type.String(),
  description: Type.String({ description: 'The line of v1; of v2 each field as hex with its meaning, a line each.' }),
});

export function headerRoutes(app: FastifyInstance, _context: ApiContext): void {
  app.post(
    '/balancer/v1/header',
    {
      // Changes nothing: whoever may look may ask.
      config: { isReading: true },
      schema: { summary: 'The PROXY header for a client, byte by byte', body: Request, response: { 200: HeaderView } },
    },
    async (request) => headerFor(request.body),
  );
}

function headerFor(body: unknown): { bytes: number; hex: string; description: string } {
  const errors: ErrorItem[] = [];
  const given = isRecord(body) ? body : {};
  const endpoint = (field: string) => {
    const text = given[field];
    const address = typeof text === 'string' ? parseNodeAddress(text) : undefined;
    if (address?.ip === undefined) errors.push({ field, reason: 'Must be an IP address and a port' });
    return { ip: address?.ip ?? new Uint8Array(0), port: address?.port ?? 0 };
  };
  const client = endpoint('client');
  const local = endpoint('local');
  const version = (['none', 'v1', 'v2'] as const).find((name) => name === given.proxy_protocol);
  if (version === undefined) errors.push({ field: 'proxy_protocol', reason: 'Must be none, v1 or v2' });
  const { proxy_protocol_crc32c: crc32c = false } = given;
  if (typeof crc32c !== 'boolean') errors.push({ field: 'proxy_protocol_crc32c', reason: 'Must be true or false' });
  else if (crc32c && version !== 'v2')
    errors.push({ field: 'proxy_protocol_crc32c', reason: 'Needs proxy_protocol v2' });
  if (errors.length > 0 || version === undefined) throw new ApiError(400, errors);
  const ends = Buffer.alloc(ENDPOINTS_BYTES);
  ends.set(client.ip, 0);
  ends.set(local.ip, DESTINATION_AT);
  ends.writeUInt16BE(client.port, SOURCE_PORT_AT);
  ends.writeUInt16BE(local.port, DESTINATION_PORT_AT);
  const template = createHeaderTemplate(version, { crc32c: crc32c === true });
  const out = Buffer.alloc(template.maxBytes);
  const bytes = template.write(out, 0, ends, 0);
  const header = out.subarray(0, bytes);
  return { bytes, hex: header.toString('hex'), description: bytes === 0 ? '' : describeHeader(header) };
}
