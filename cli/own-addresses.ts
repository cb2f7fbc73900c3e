// What of the addresses in a configuration is this balancer itself: those of the machine, as they are now, and the API's, as the
// environment has it.

import type { OwnAddresses } from '../core/config/own-ports.ts';
import { localAddresses } from '../workers/machine-addresses.ts';
import { type AdminAddress, type Environment, VARIABLES } from './environment.ts';

/** @returns undefined when there is to be no API */
export function adminAddressOf({
  adminAddress = VARIABLES.adminAddress.default,
}: Environment): AdminAddress | undefined {
  return adminAddress === 'off' ? undefined : adminAddress;
}

export function ownAddresses(env: Environment): OwnAddresses {
  return { local: localAddresses(), api: adminAddressOf(env) };
}
