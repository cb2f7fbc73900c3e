// IP addresses as bytes: always 16, network order, IPv4 in its mapped form (::ffff:a.b.c.d, RFC 4291 section 2.5.5.2), so that
// one field holds either family. Text <-> bytes for the edges. No I/O; formatting allocates and stays off the data path.

export const IP_BYTES = 16;

/** An endpoints block: source address, destination address, source port, destination port, in network order. It is
 * byte for byte the address block of a PROXY v2 header for TCP over IPv6. */
export const ENDPOINTS_BYTES = 36;
export const SOURCE_PORT_AT = 32;
export const DESTINATION_AT = 16;
export const DESTINATION_PORT_AT = 34;

/** where the four bytes of an IPv4 address lie in its mapped form */
export const IPV4_AT = 12;

/** True when the 16 bytes at `at` hold an IPv4 address. */
export function isIpv4(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < 10; i++) if (bytes[at + i] !== 0) return false;
  return bytes[at + 10] === 0xff && bytes[at + 11] === 0xff;
}

/** True for 0.0.0.0 and ::, "every address" to a listener. */
export function isWildcard(ip: Uint8Array): boolean {
  return ip.every((byte, i) => byte === 0 || (isIpv4(ip, 0) && (i === 10 || i === 11)));
}

/** True for 127.0.0.0/8 and ::1: this machine, whatever addresses it has. */
export function isLoopback(ip: Uint8Array): boolean {
  if (isIpv4(ip, 0)) return ip[IPV4_AT] === 127;
  return ip.every((byte, i) => byte === (i === IP_BYTES - 1 ? 1 : 0));
}

/** True when both begin with the same bits; an IPv4 address has 96 before its own. */
export function sharesPrefix(a: Uint8Array, b: Uint8Array, bits: number): boolean {
  const whole = bits >> 3;
  for (let i = 0; i < whole; i++) if (a[i] !== b[i]) return false;
  const rest = bits & 7;
  return rest === 0 || ((a[whole] ?? 0) ^ (b[whole] ?? 0)) >> (8 - rest) === 0;
}

/** @returns in words what keeps an address from being any one machine's; undefined for all others, also 0.0.0.0 and :: */
export function groupFault(ip: Uint8Array): string | undefined {
  if (!isIpv4(ip, 0)) return ip[0] === 0xff ? 'a multicast address' : undefined;
  const v4 = ip.subarray(IPV4_AT);
  if (v4.every((byte) => byte === 0xff)) return 'the broadcast address';
  // 224.0.0.0/4 (RFC 5771). What comes after it, up to the broadcast address, Linux takes for unicast.
  return ((v4[0] ?? 0) & 0xf0) === 0xe0 ? 'a multicast address' : undefined;
}

/** `ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255` */
const IP_CHARS_MAX = 45;

/** @returns 16 bytes, or undefined when `text` is no IPv4 or IPv6 address (no zone, no brackets, no leading zeroes) */
export function parseIp(text: string): Uint8Array | undefined {
  // A text may be as long as a file, and would be cut at each of its colons.
  if (text.length > IP_CHARS_MAX) return undefined;
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

/** The one spelling of an address. @returns undefined when `text` is none */
export function canonicalIp(text: string): string | undefined {
  const ip = parseIp(text);
  return ip === undefined ? undefined : formatIp(ip, 0);
}

function parseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  const bytes = new Uint8Array(IP_BYTES);
  bytes[10] = 0xff;
  bytes[11] = 0xff;
  for (const [i, part] of parts.entries()) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    bytes[IPV4_AT + i] = Number(part);
  }
  return bytes;
}

function parseIpv6(text: string): Uint8Array | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = groupsOf(halves[0] ?? '', halves.length === 1);
  const tail = groupsOf(halves[1] ?? '', true);
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  // "::" stands for at least one group (RFC 4291 section 2.2).
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...new Array<number>(missing).fill(0), ...tail];
  const bytes = new Uint8Array(IP_BYTES);
  for (const [i, group] of groups.entries()) {
    bytes[2 * i] = group >> 8;
    bytes[2 * i + 1] = group & 0xff;
  }
  return bytes;
}

/** @param mayEndInIpv4 the last two groups may be written as a dotted IPv4 address */
function groupsOf(text: string, mayEndInIpv4: boolean): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [i, part] of parts.entries()) {
    if (mayEndInIpv4 && i === parts.length - 1 && part.includes('.')) {
      const v4 = parseIpv4(part);
      if (v4 === undefined) return undefined;
      const view = new DataView(v4.buffer);
      groups.push(view.getUint16(IPV4_AT), view.getUint16(IPV4_AT + 2));
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      groups.push(Number.parseInt(part, 16));
    } else {
      return undefined;
    }
  }
  return groups;
}

/** Canonical text (RFC 5952); an IPv4-mapped address comes out as IPv4. */
export function formatIp(bytes: Uint8Array, at: number): string {
  if (isIpv4(bytes, at)) return bytes.subarray(at + IPV4_AT, at + IP_BYTES).join('.');
  const groups: number[] = [];
  for (let i = 0; i < 8; i++) groups.push(((bytes[at + 2 * i] ?? 0) << 8) | (bytes[at + 2 * i + 1] ?? 0));
  const [from, length] = longestZeroRun(groups);
  const hex = groups.map((group) => group.toString(16));
  if (length < 2) return hex.join(':');
  return `${hex.slice(0, from).join(':')}::${hex.slice(from + length).join(':')}`;
}

function longestZeroRun(groups: readonly number[]): [from: number, length: number] {
  let best: [number, number] = [0, 0];
  let from = 0;
  for (let i = 0; i <= groups.length; i++) {
    if (i < groups.length && groups[i] === 0) continue;
    if (i - from > best[1]) best = [from, i - from];
    from = i + 1;
  }
  return best;
}

/** `192.0.2.1:80` or `[2001:db8::1]:80` */
export function formatEndpoint(ip: string, port: number): string {
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}

export function portAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
