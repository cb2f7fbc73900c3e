// Why a header was refused: one table, shared by the log, the counters and the page. A decoder never throws for what a peer
// sent; it returns a reason from here. Must not format positions or bytes: the decoder that saw them writes the detail.

const REASONS = {
  signature: 'does not start like a PROXY header',
  'v1-family': 'the v1 family is not TCP4, TCP6 or UNKNOWN',
  'v1-separator': 'v1 fields are separated by exactly one space',
  'v1-address': 'a v1 address is not of the announced family',
  'v1-port': 'a v1 port is not a number from 0 to 65535 without leading zeroes',
  'v1-line-end': 'the v1 line does not end in CRLF',
  'v1-too-long': 'the v1 line is longer than 107 bytes',
  'v2-version': 'the binary header is not of version 2',
  'v2-command': 'the v2 command is neither LOCAL nor PROXY',
  'v2-family': 'the v2 address family is not assigned',
  'v2-transport': 'the v2 transport is not assigned or does not go with the family',
  'v2-length': 'the v2 length is shorter than the address block of the family',
  'header-too-large': 'the header is larger than this receiver allows',
  'tlv-overrun': 'a TLV reaches past the end of the header',
  'tlv-value': 'a TLV has a value that its type does not allow',
  'ssl-overrun': 'a TLV inside the SSL TLV reaches past its end',
  'crc32c-repeated': 'there is more than one CRC32C',
  'crc32c-mismatch': 'the CRC32C does not match the header',
} as const;

export type RejectReason = keyof typeof REASONS;

/** Final: no byte that follows could make it a header. `detail` names the byte, for a log line. */
export type Rejected = { readonly kind: 'rejected'; readonly reason: RejectReason; readonly detail: string };

/** For people: a sentence without the full stop. */
export function describeReject(reason: RejectReason): string {
  return REASONS[reason];
}

/** Every reason with its description, for documents and metrics. */
export function rejectReasons(): readonly (readonly [reason: string, description: string])[] {
  return Object.entries(REASONS);
}

export function reject(reason: RejectReason, detail: string): Rejected {
  return { kind: 'rejected', reason, detail };
}

/** Tells a refusal from the value that a step of a decoder gives otherwise. */
export function isRejected(result: object): result is Rejected {
  return 'kind' in result && result.kind === 'rejected';
}
