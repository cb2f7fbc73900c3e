// Which of the interfaces' addresses lead to this machine: each for itself, and on the loopback interface their whole network.

import type { NetworkInterfaceInfo } from 'node:os';
import { expect, test } from 'vitest';
import { localAddresses } from '../../../workers/machine-addresses.ts';

function at(address: string, cidr: string, internal: boolean): NetworkInterfaceInfo {
  const common = { address, cidr, internal, netmask: '', mac: '' };
  return address.includes(':') ? { ...common, family: 'IPv6', scopeid: 0 } : { ...common, family: 'IPv4' };
}

test('each address once, and networks of the loopback interface', () => {
  const interfaces = [
    at('127.0.0.1', '127.0.0.1/8', true),
    at('10.9.9.9', '10.9.9.9/24', true),
    at('::1', '::1/128', true),
    at('192.0.2.5', '192.0.2.5/24', false),
    at('2001:db8::5', '2001:db8::5/64', false),
    at('192.0.2.5', '192.0.2.5/32', false),
  ];
  expect(localAddresses(interfaces)).toEqual(['10.9.9.9/24', '127.0.0.1/8', '192.0.2.5', '2001:db8::5', '::1']);
});

test('of this machine: loopback at least', () => {
  expect(localAddresses()).toContain('127.0.0.1/8');
});
