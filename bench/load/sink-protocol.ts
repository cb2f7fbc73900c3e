// What uploads begin with: maybe a PROXY header, then how many bytes will follow, as 8 bytes big-endian. The sink answers with as
// many bytes, which say what it got.

import type { Buffer } from 'node:buffer';

export const LENGTH_BYTES = 8;

const V2_FIXED_BYTES = 16;
const V2_FIRST = 0x0d;
const V1_FIRST = 0x50;

export interface Upload {
  /** PROXY header and length together */
  headBytes: number;
  /** what is announced */
  bytes: number;
}

/** @returns undefined while the head is incomplete */
export function readUpload(head: Buffer): Upload | undefined {
  const headerBytes = proxyHeaderBytes(head);
  if (headerBytes === undefined || head.length < headerBytes + LENGTH_BYTES) return undefined;
  return { headBytes: headerBytes + LENGTH_BYTES, bytes: Number(head.readBigUInt64BE(headerBytes)) };
}

/** A length begins with a zero byte: no upload is that long. */
function proxyHeaderBytes(head: Buffer): number | undefined {
  if (head.length === 0) return undefined;
  if (head[0] === V2_FIRST) return head.length < V2_FIXED_BYTES ? undefined : V2_FIXED_BYTES + head.readUInt16BE(14);
  if (head[0] !== V1_FIRST) return 0;
  const end = head.indexOf('\r\n');
  return end < 0 ? undefined : end + 2;
}
