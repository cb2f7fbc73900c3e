// Fields of a config that mean nothing to protocol tcp and are kept as a client of the API sent them: one that finds another value in
// the answer takes that for a change, and sends its own again and again. The configuration does not know them.

import { type Static, Type } from 'typebox';

/** What a config has of which nobody has said anything. */
export const UNSAID = { cipher_suite: 'recommended', udp_check_port: 80 } as const;

const description = 'Kept as it was sent: protocol tcp has no use for it.';

export const KeptFieldsSchema = Type.Object({
  cipher_suite: Type.Enum(['recommended', 'legacy', 'none'], { default: UNSAID.cipher_suite, description }),
  udp_check_port: Type.Integer({ minimum: 1, maximum: 65535, default: UNSAID.udp_check_port, description }),
});

export type KeptFields = Readonly<Static<typeof KeptFieldsSchema>>;

export function keptFieldsOf({ cipher_suite, udp_check_port }: KeptFields): KeptFields {
  return { cipher_suite, udp_check_port };
}
