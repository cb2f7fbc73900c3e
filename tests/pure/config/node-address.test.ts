import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatIp } from '../../../core/base/ip.ts';
import { addressKey, parseNodeAddress, readNodeAddress } from '../../../core/config/node-address.ts';
import { holds } from '../../../testing/suite/property.ts';

describe('a node address is', () => {
  test.each([
    ['192.0.2.10:8080', '192.0.2.10', 8080],
    ['127.0.0.1:1', '127.0.0.1', 1],
    ['[2001:db8::1]:65535', '2001:db8::1', 65535],
    ['[::1]:80', '::1', 80],
    ['223.255.255.255:80', '223.255.255.255', 80],
    ['240.0.0.1:80', '240.0.0.1', 80],
    ['[fe80::1]:80', 'fe80::1', 80],
    ['[::ffff:192.0.2.1]:80', '192.0.2.1', 80],
    ['223.255.255.255:80', '223.255.255.255', 80],
    ['240.0.0.1:80', '240.0.0.1', 80],
    ['169.254.1.1:80', '169.254.1.1', 80],
  ])('an IP address and a port: %s', (text, ip, port) => {
    const address = parseNodeAddress(text);
    expect(address?.port).toBe(port);
    expect(address?.ip && formatIp(address.ip, 0)).toBe(ip);
  });

  test.each([
    'localhost:80',
    'web-1.example.com:80',
    '3com.com:80',
    'a:80',
    `${'a'.repeat(63)}.b:80`,
    'xn--bcher-kva.de:1',
    'app_db_1:80',
    '_sip._tcp.example.com:80',
    'a_:80',
    'db.internal.:80',
    'db.:80',
    `${'a.'.repeat(126)}a.:80`,
    '127.0.0.1.example:80',
    '0x7f.example:80',
    'x7f:80',
    '0xg:80',
    '1.0x7f.a:80',
  ])('a host name and a port: %s', (text) => {
    const address = parseNodeAddress(text);
    expect(address).toEqual({ host: text.slice(0, text.lastIndexOf(':')), port: Number(text.split(':').at(-1)) });
    expect(address !== undefined && 'ip' in address).toBe(false);
  });
});

describe('no node address is', () => {
  test.each([
    ['', 'no port'],
    ['192.0.2.1', 'no port'],
    ['host:', 'no port'],
    [':80', 'no host before the port'],
    ['host:0', 'the port is not a number from 1 to 65535'],
    ['host:65536', 'the port is not a number from 1 to 65535'],
    ['host:080', 'the port is not a number from 1 to 65535'],
    ['host:http', 'the port is not a number from 1 to 65535'],
    ['host:+80', 'the port is not a number from 1 to 65535'],
    ['fd00::2:80', 'an IPv6 address needs brackets, as in [2001:db8::1]:80'],
    ['[fd00::2]', 'no "]:port" at the end'],
    ['[fd00::2', 'no "]:port" at the end'],
    ['[fe80::1%eth0]:80', 'zone ids are not supported'],
    ['[192.0.2.1]:80', 'no IPv6 address in the brackets'],
    ['[fd00::g]:80', 'no IPv6 address in the brackets'],
    ['192.0.2.256:80', 'neither an IP address nor a host name'],
    ['192.0.2:80', 'neither an IP address nor a host name'],
    ['010.0.0.1:80', 'neither an IP address nor a host name'],
    ['-a.example:80', 'neither an IP address nor a host name'],
    ['a-:80', 'neither an IP address nor a host name'],
    ['a..b:80', 'neither an IP address nor a host name'],
    ['a_b..:80', 'neither an IP address nor a host name'],
    ['.:80', 'neither an IP address nor a host name'],
    ['..:80', 'neither an IP address nor a host name'],
    ['.a:80', 'neither an IP address nor a host name'],
    ['0x7f000001:80', 'neither an IP address nor a host name'],
    ['0X7F000001:80', 'neither an IP address nor a host name'],
    ['0x7f000001.:80', 'neither an IP address nor a host name'],
    ['2130706433:80', 'neither an IP address nor a host name'],
    ['127.0.0.1.:80', 'neither an IP address nor a host name'],
    ['1.0x7f:80', 'neither an IP address nor a host name'],
    ['1.0x7f.:80', 'neither an IP address nor a host name'],
    ['web.0x:80', 'neither an IP address nor a host name'],
    ['web.1:80', 'neither an IP address nor a host name'],
    ['web.01.:80', 'neither an IP address nor a host name'],
    ['a b:80', 'neither an IP address nor a host name'],
    ['http://a:80', 'neither an IP address nor a host name'],
    ['host:80:90', 'neither an IP address nor a host name'],
    ['0.0.0.0:80', 'it is every address of this machine: write 127.0.0.1 or [::1]'],
    ['[::]:80', 'it is every address of this machine: write 127.0.0.1 or [::1]'],
    ['[::ffff:0.0.0.0]:80', 'it is every address of this machine: write 127.0.0.1 or [::1]'],
    ['224.0.0.1:80', 'a multicast address'],
    ['239.255.255.255:80', 'a multicast address'],
    ['[ff02::1]:80', 'a multicast address'],
    ['255.255.255.255:80', 'the broadcast address'],
    [`${'a'.repeat(64)}:80`, 'neither an IP address nor a host name'],
    [`${'a.'.repeat(127)}a:80`, 'neither an IP address nor a host name'],
    [`${'a.'.repeat(127)}a.:80`, 'neither an IP address nor a host name'],
    ['host:80\n', 'the port is not a number from 1 to 65535'],
  ])('%j: %s', (text, why) => {
    expect(readNodeAddress(text)).toBe(why);
    expect(parseNodeAddress(text)).toBeUndefined();
  });
});

test('a name with a dot at its end is another look-up than the one without, so it may be another node', () => {
  expect(parseNodeAddress('db.internal.:80')?.host).toBe('db.internal.');
  expect(addressKey('DB.internal.:80')).toBe('db.internal.:80');
  expect(addressKey('db.internal:80')).toBe('db.internal:80');
});

test('any text is an address or says why not', () => {
  holds(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[[\]0-9a-f:.]{0,20}$/)), (text) => {
      const read = readNodeAddress(text);
      if (typeof read === 'string') expect(read).not.toBe('');
      else expect(read.port).toBeGreaterThan(0);
    }),
  );
});
