// What a cloud has and we have not, as keys of a request. One policy for all of them: what asks for nothing passes, and what asks for
// something is refused with a sentence of its own. Says nothing of keys that no client of the Linode API knows.

export interface ForeignKey {
  readonly asksForNothing: (value: unknown) => boolean;
  /** what is said of a value that asks for something */
  readonly reason: string;
}

/** What answers have, and a client may send back. */
export const ANSWERED: ForeignKey = { asksForNothing: () => true, reason: '' };

export const NO_FIREWALLS = 'there are no firewalls here';
export const NO_VPCS = 'there are no VPCs here';
export const NO_HTTPS = 'protocol https is not served yet';
export const NO_UDP = 'protocol udp is not served yet';

/** @param harmless values that ask for what there is anyway */
export function lacking(reason: string, ...harmless: readonly unknown[]): ForeignKey {
  return { asksForNothing: (value) => isEmpty(value) || harmless.includes(value), reason };
}

/** Clients have many words for "not said". */
export function isEmpty(value: unknown): boolean {
  if (value === null || value === '' || value === 0) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}
