// What the running balancer says of itself, as `balancer status --json` gives it.

import type { Snapshot } from '../../../workers/snapshot.ts';
import { BALANCER, type Balancer } from '../../support/balancer.ts';
import { runProgram } from '../../support/process.ts';

export async function statusOf(balancer: Balancer): Promise<Snapshot> {
  const program = await runProgram({
    name: 'balancer status',
    command: BALANCER,
    args: ['status', '--json', '--data-dir', balancer.dataDirectory],
    cwd: balancer.directory,
  });
  if (program.exited?.code !== 0) throw program.failure('balancer status failed');
  return JSON.parse(program.stdout);
}
