// A network namespace for one test file: an empty network with few ephemeral ports, for what happens when they run out or meet
// themselves. It is entered on import by nobody; a file that calls this stays in it until its process ends.

import { writeFileSync } from 'node:fs';
import koffi from 'koffi';
import { setLoopbackUp } from './raw-socket.ts';

const CLONE_NEWNET = 0x4000_0000;

/**
 * This process, and what it starts from now on, gets a network of its own (unshare(2)) with these ephemeral ports.
 * @returns false where that is not allowed
 */
export function enterOwnNetwork(firstPort: number, lastPort: number): boolean {
  if (process.getuid?.() !== 0) return false;
  if (koffi.load(null).func('int unshare(int flags)')(CLONE_NEWNET) !== 0) return false;
  setLoopbackUp();
  writeFileSync('/proc/sys/net/ipv4/ip_local_port_range', `${firstPort} ${lastPort}`);
  return true;
}
