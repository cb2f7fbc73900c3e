// What `check` says of a configuration besides what is in it: addresses that this machine lacks. Only
// `check`: a start fails at them anyway, with the same reason, and a file is often checked on another
// machine than the one it is for, so it is no error. Floating addresses are listened on all the same.

import { EADDRNOTAVAIL } from '../core/base/errno.ts';
import { parseIp } from '../core/base/ip.ts';
import type { Config } from '../core/config/model.ts';
import type { Remark } from '../core/config/warnings.ts';
import { tryAddress } from '../core/linux/bound-socket.ts';

/**
 * @param floating canonical texts: addresses that the machine may lack
 * @returns a remark per address; the kernel is asked, which knows of net.ipv4.ip_nonlocal_bind and of
 * all of 127.0.0.0/8
 */
export function machineRemarks(config: Config, floating: readonly string[]): Remark[] {
  return config.nodebalancers.flatMap((nodebalancer, i) =>
    (['ipv4', 'ipv6'] as const).flatMap((key) => {
      const text = nodebalancer[key];
      return text === null || floating.includes(text) || !isMissing(text)
        ? []
        : [{ path: ['nodebalancers', i, key], text: remarkOn(text) }];
    }),
  );
}

function isMissing(text: string): boolean {
  const ip = parseIp(text);
  return ip !== undefined && tryAddress(ip) === -EADDRNOTAVAIL;
}

function remarkOn(address: string): string {
  return `this machine does not have ${address}: "run" ends with exit code 75 until it is there`;
}
