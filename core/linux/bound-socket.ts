// Sockets that connect from a local address of the operator's choice. Only the address is chosen here, and not the port: bind(2)
// would take one for good, whatever it is used for, and finds none when all ports of the address are in use or in TIME_WAIT, as
// they are after a busy minute. With IP_BIND_ADDRESS_NO_PORT it is chosen at connect, where the whole four-tuple counts (ip(7)).

import { isIpv4 } from '../base/ip.ts';
import { AF_INET, AF_INET6, SOCKADDR_BYTES } from './kernel.ts';
import { createKernel, KERNEL_CELL_BYTES } from './native.ts';
import { writeSockaddr } from './sockaddr.ts';

const ADDRESS_AT = 0;
const kernel = createKernel(new SharedArrayBuffer(ADDRESS_AT + SOCKADDR_BYTES + KERNEL_CELL_BYTES));

/** @param ip 16 bytes @returns the descriptor of a TCP socket that is not connected yet, or -errno */
export function openBoundSocket(ip: Uint8Array): number {
  const fd = kernel.openSocket(isIpv4(ip, 0) ? AF_INET : AF_INET6);
  if (fd < 0) return fd;
  kernel.setOption(fd, 'bind-address-no-port', 1);
  writeSockaddr(kernel.arena, ADDRESS_AT, ip, 0, 0);
  const bound = kernel.bind(fd, ADDRESS_AT);
  if (bound === 0) return fd;
  kernel.close(fd);
  return bound;
}

/** @returns 0, or -errno: why no socket can be bound to this address */
export function tryAddress(ip: Uint8Array): number {
  const fd = openBoundSocket(ip);
  if (fd < 0) return fd;
  kernel.close(fd);
  return 0;
}
