// CRC32C (Castagnoli), the checksum of the TLV 0x03 (section 2.2.3 of the PROXY specification; RFC 4960 appendix B): reflected
// polynomial 0x1EDC6F41, start and final value inverted. One byte per step: a header is some 60 bytes, and a sliced table
// of 4 KiB or more would fight the data path for its cache. Must not know where the field lies.

const REVERSED_POLYNOMIAL = 0x82f63b78;

// Int32Array, because a number above 2^31 would become a heap object when it leaves a function that V8 did not inline.
const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ REVERSED_POLYNOMIAL : crc >>> 1;
  return crc;
});

/** Continues over `bytes[from..to)`. @param crc what an earlier call returned, or 0. @returns a signed 32-bit integer */
export function crc32cUpdate(crc: number, bytes: Uint8Array, from: number, to: number): number {
  let state = ~crc;
  for (let i = from; i < to; i++) state = (TABLE[(state ^ (bytes[i] ?? 0)) & 0xff] ?? 0) ^ (state >>> 8);
  return ~state;
}

/** The checksum of `bytes[from..to)`, 0..2^32-1 */
export function crc32c(bytes: Uint8Array, from = 0, to = bytes.length): number {
  return crc32cUpdate(0, bytes, from, to) >>> 0;
}

const ZEROED_FIELD = new Uint8Array(4);

/** The checksum of `bytes[from..to)` with the four bytes at `fieldAt` taken as zero; `bytes` stays as it is. */
export function crc32cWithZeroedField(bytes: Uint8Array, from: number, to: number, fieldAt: number): number {
  const before = crc32cUpdate(0, bytes, from, fieldAt);
  const across = crc32cUpdate(before, ZEROED_FIELD, 0, 4);
  return crc32cUpdate(across, bytes, fieldAt + 4, to) >>> 0;
}
