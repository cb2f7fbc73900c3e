// Reads PROXY headers in tests. Written from the specification and not from core/proxy-protocol, so that a mistake there
// cannot hide here: this is the judge.

import { Buffer } from 'node:buffer';

export interface ProxyHeader {
  version: 1 | 2;
  /** `LOCAL` and `UNKNOWN` carry no addresses. */
  command: 'PROXY' | 'LOCAL' | 'UNKNOWN';
  family: 4 | 6 | undefined;
  sourceAddress: string;
  sourcePort: number;
  destinationAddress: string;
  destinationPort: number;
  bytes: Buffer;
}

/** Gives exactly `count` bytes, in order. */
export type ReadBytes = (count: number) => Promise<Buffer>;

const V2_SIGNATURE = '0d0a0d0a000d0a515549540a';
const V1_LENGTH_MAX = 107;
const LINE_FEED = 0x0a;

/** Reads one header and not a byte more. Throws on anything that the specification does not allow. */
export async function readProxyHeader(read: ReadBytes): Promise<ProxyHeader> {
  const first = await read(1);
  return first[0] === 0x0d ? readV2(first, read) : readV1(first, read);
}

async function readV1(first: Buffer, read: ReadBytes): Promise<ProxyHeader> {
  const parts = [first];
  for (;;) {
    if (parts.length >= V1_LENGTH_MAX) throw new Error(`v1 header longer than ${V1_LENGTH_MAX} bytes`);
    const next = await read(1);
    parts.push(next);
    if (next[0] === LINE_FEED) break;
  }
  const bytes = Buffer.concat(parts);
  const text = bytes.toString('latin1');
  const match = text.match(/^PROXY TCP([46]) (\S+) (\S+) (\d{1,5}) (\d{1,5})\r\n$/);
  if (match === null) {
    if (!/^PROXY UNKNOWN(?: .*)?\r\n$/.test(text)) throw new Error(`not a v1 header: ${JSON.stringify(text)}`);
    return { version: 1, command: 'UNKNOWN', family: undefined, ...NO_ADDRESSES, bytes };
  }
  const [, digit, sourceAddress = '', destinationAddress = '', sourcePort, destinationPort] = match;
  return {
    version: 1,
    command: 'PROXY',
    family: digit === '4' ? 4 : 6,
    sourceAddress,
    sourcePort: Number(sourcePort),
    destinationAddress,
    destinationPort: Number(destinationPort),
    bytes,
  };
}

async function readV2(first: Buffer, read: ReadBytes): Promise<ProxyHeader> {
  const fixed = Buffer.concat([first, await read(15)]);
  if (fixed.toString('hex', 0, 12) !== V2_SIGNATURE) throw new Error(`not a v2 signature: ${fixed.toString('hex')}`);
  const rest = await read(fixed.readUInt16BE(14));
  const bytes = Buffer.concat([fixed, rest]);
  const command = fixed[12];
  if (command === 0x20) return { version: 2, command: 'LOCAL', family: undefined, ...NO_ADDRESSES, bytes };
  if (command !== 0x21) throw new Error(`v2 version and command 0x${command?.toString(16)}`);
  const familyByte = fixed[13];
  const size = familyByte === 0x11 ? 4 : familyByte === 0x21 ? 16 : 0;
  if (size === 0 || rest.length < 2 * size + 4) throw new Error(`v2 family or length: ${bytes.toString('hex')}`);
  return {
    version: 2,
    command: 'PROXY',
    family: size === 4 ? 4 : 6,
    sourceAddress: addressText(rest.subarray(0, size)),
    destinationAddress: addressText(rest.subarray(size, 2 * size)),
    sourcePort: rest.readUInt16BE(2 * size),
    destinationPort: rest.readUInt16BE(2 * size + 2),
    bytes,
  };
}

const NO_ADDRESSES = { sourceAddress: '', sourcePort: 0, destinationAddress: '', destinationPort: 0 } as const;

/** IPv6 in the canonical form that the URL parser gives: enough to compare with what sockets report. */
function addressText(bytes: Buffer): string {
  if (bytes.length === 4) return [...bytes].join('.');
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(2 * index).toString(16));
  return new URL(`http://[${groups.join(':')}]/`).hostname.slice(1, -1);
}
