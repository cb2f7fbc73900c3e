// What a check sends in front of everything: the PROXY version that the node expects, and nobody's address but our own.

import type { Socket } from 'node:net';
import { DESTINATION_AT, DESTINATION_PORT_AT, ENDPOINTS_BYTES, parseIp, SOURCE_PORT_AT } from '../../core/base/ip.ts';
import { createHeaderTemplate, type HeaderMode } from '../../core/proxy-protocol/template.ts';
import { LOCAL_HEADER } from '../../core/proxy-protocol/v2-encode.ts';

const V1 = createHeaderTemplate('v1');

/** v2 says LOCAL, "this connection is mine". v1 has a word for that too, UNKNOWN, which several receivers refuse: so it gets a real
 * line with the connection's own ends. @returns undefined when the connection is gone already */
export function proxyHeader(mode: HeaderMode, socket: Socket): Uint8Array | undefined {
  if (mode === 'none') return new Uint8Array(0);
  return mode === 'v2' ? LOCAL_HEADER : lineOf(socket);
}

function lineOf({
  localAddress = '',
  localPort = 0,
  remoteAddress = '',
  remotePort = 0,
}: Socket): Uint8Array | undefined {
  const source = parseIp(localAddress);
  const destination = parseIp(remoteAddress);
  if (source === undefined || destination === undefined) return undefined;
  const endpoints = Buffer.alloc(ENDPOINTS_BYTES);
  endpoints.set(source);
  endpoints.set(destination, DESTINATION_AT);
  endpoints.writeUInt16BE(localPort, SOURCE_PORT_AT);
  endpoints.writeUInt16BE(remotePort, DESTINATION_PORT_AT);
  const line = Buffer.alloc(V1.maxBytes);
  return line.subarray(0, V1.write(line, 0, endpoints, 0));
}
