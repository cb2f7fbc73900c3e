// The canary: our balancer, slowed on purpose. A benchmark that does not call it slower would not notice a regression either.
// It is no peer that can be chosen; the tests run it beside the balancer as it is.

import { resolve } from 'node:path';
import { BALANCER_FLAGS } from '../bin/runtime.js';
import type { Contender } from './contender.ts';
import { balancer } from './peers/balancer.ts';

const PRELOAD = resolve(import.meta.dirname, 'peers/slowed-accept.ts');
const MAIN = resolve(import.meta.dirname, '../cli/main.ts');

export const canary: Contender = {
  ...balancer,
  name: 'canary',
  command(file, job) {
    const { args, env = {} } = balancer.command(file, job);
    // Past the launcher, which takes no flags for Node.js.
    const flags = [...BALANCER_FLAGS, '--import', PRELOAD];
    return { command: process.execPath, args: [...flags, MAIN, ...args], env };
  },
};
