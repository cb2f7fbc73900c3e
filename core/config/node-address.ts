// The address of a node, text -> value: `ipv4:port`, `[ipv6]:port` or `host:port`. Says what is wrong with a bad one.
// No look-ups: host names are resolved elsewhere, off the data path. No zone ids: they mean something on one machine only.

import { formatEndpoint, formatIp, groupFault, isWildcard, parseIp } from '../base/ip.ts';

export interface NodeAddress {
  /** An IP address without brackets, or a host name, as written. */
  readonly host: string;
  readonly port: number;
  /** 16 bytes as in `base/ip.ts`; absent exactly when `host` is a name. */
  readonly ip?: Uint8Array;
}

/** One of the answers of `readNodeAddress`. */
export const BAD_PORT = 'the port is not a number from 1 to 65535';

const HOST_CHARS_MAX = 253;
/** RFC 1123 section 2.1 (letters, digits, inner hyphens), and the underscore of container and service names, which every resolver takes. */
const HOST_LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i;
/** Decimal or hexadecimal: what inet_aton(3), and so the system's look-up, reads as part of an IPv4 address. */
const NUMBER_LABEL = /^(\d+|0x[\da-f]*)$/i;

/** @returns undefined when `text` is no node address */
export function parseNodeAddress(text: string): NodeAddress | undefined {
  return unlessFault(readNodeAddress(text));
}

/** The same for two spellings of one address. What is no node address is its own key. */
export function addressKey(text: string): string {
  const address = parseNodeAddress(text);
  if (address === undefined) return text;
  const { host, port, ip } = address;
  return formatEndpoint(ip === undefined ? host.toLowerCase() : formatIp(ip, 0), port);
}

/** An address to listen at, which may be every one. @returns undefined when `text` is none */
export function parseListenAddress(text: string): NodeAddress | undefined {
  return unlessFault(readEndpoint(text));
}

function unlessFault(read: NodeAddress | string): NodeAddress | undefined {
  return typeof read === 'string' ? undefined : read;
}

/** @returns the address, or what is wrong with it */
export function readNodeAddress(text: string): NodeAddress | string {
  const read = readEndpoint(text);
  return typeof read === 'string' ? read : oneMachine(read);
}

function readEndpoint(text: string): NodeAddress | string {
  const match = /^(?:\[(?<inner>[^[\]]*)\]|(?<outer>[^[\]]*?)):(?<port>[^:[\]]*)$/.exec(text);
  const { inner, outer, port } = match?.groups ?? {};
  if (port === undefined) return text.includes('[') ? 'no "]:port" at the end' : 'no port';
  const number = portNumber(port);
  if (number === undefined) return port === '' ? 'no port' : BAD_PORT;
  return inner === undefined ? readHost(outer ?? '', number) : readBracketed(inner, number);
}

function portNumber(text: string): number | undefined {
  if (!/^[1-9]\d{0,4}$/.test(text)) return undefined;
  const port = Number(text);
  return port <= 65535 ? port : undefined;
}

function readBracketed(host: string, port: number): NodeAddress | string {
  if (host.includes('%')) return 'zone ids are not supported';
  const ip = host.includes(':') ? parseIp(host) : undefined;
  return ip === undefined ? 'no IPv6 address in the brackets' : { host, port, ip };
}

function readHost(host: string, port: number): NodeAddress | string {
  if (host === '') return 'no host before the port';
  // `fd00::2:80` cannot be told from an address without a port.
  if (/^[\da-f:.]*:[\da-f:.]*$/i.test(host)) return 'an IPv6 address needs brackets, as in [2001:db8::1]:80';
  const ip = parseIp(host);
  if (ip !== undefined) return { host, port, ip };
  return isHostName(host) ? { host, port } : 'neither an IP address nor a host name';
}

function oneMachine(address: NodeAddress): NodeAddress | string {
  const { ip } = address;
  const fault = ip === undefined ? undefined : nodeIpFault(ip);
  return fault === EVERY_ADDRESS ? `it is ${fault}: write 127.0.0.1 or [::1]` : (fault ?? address);
}

const EVERY_ADDRESS = 'every address of this machine';

/**
 * What keeps an IP address from being a node's, be it written or an answer for a name: Linux connects 0.0.0.0 and :: to itself, and a
 * multicast address to nobody. @returns what it is instead; undefined when nothing does
 */
export function nodeIpFault(ip: Uint8Array): string | undefined {
  return isWildcard(ip) ? EVERY_ADDRESS : groupFault(ip);
}

/** A dot at the end stays part of the name: it tells the resolver to look for this name alone, and in no search domain. */
function isHostName(text: string): boolean {
  const name = withoutRootDot(text);
  const labels = name.split('.');
  // A name whose last label is a number is a mistyped IPv4 address (RFC 3696 section 2): 127.1 and 0x7f000001 are 127.0.0.1 to the system.
  if (name.length > HOST_CHARS_MAX || NUMBER_LABEL.test(labels.at(-1) ?? '')) return false;
  return labels.every((label) => HOST_LABEL.test(label));
}

/** A host name as a server of that name calls itself. */
export function withoutRootDot(host: string): string {
  return host.endsWith('.') ? host.slice(0, -1) : host;
}
