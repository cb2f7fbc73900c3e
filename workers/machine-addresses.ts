// The addresses of this machine's interfaces: the one place where the system is asked for them. They come and go while the process
// runs; to ask takes some 50 us.

import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';

export function machineInterfaces(): NetworkInterfaceInfo[] {
  return Object.values(networkInterfaces()).flatMap((list) => list ?? []);
}

/**
 * What leads to this machine, as `OwnAddresses.local` has it. An IPv4 network of the loopback interface does so as a whole: with
 * 10.0.0.1/24 on it Linux takes 10.0.0.2 for its own, too.
 */
export function localAddresses(interfaces = machineInterfaces()): string[] {
  const texts = interfaces.map(({ address, family, internal, cidr }) =>
    internal && family === 'IPv4' ? (cidr ?? address) : address,
  );
  return [...new Set(texts)].sort();
}
