// What the whole process uses, all its threads together, as the kernel counts it.

import { readFileSync, statSync } from 'node:fs';
import { gauge, metric } from './exposition.ts';

const US_PER_SECOND = 1_000_000;

export function processMetrics(): string {
  const { user, system } = process.cpuUsage();
  const used = openFiles();
  const limit = openFilesLimit();
  return [
    gauge('process_resident_memory_bytes', 'Memory that the process has.', process.memoryUsage.rss()),
    metric('process_cpu_seconds_total', 'counter', 'Processor time that the process has used.', [
      [{}, (user + system) / US_PER_SECOND],
    ]),
    used === undefined ? '' : gauge('balancer_fd_used', 'Open descriptors.', used),
    limit === undefined ? '' : gauge('balancer_fd_limit', 'Descriptors that may be open.', limit),
  ].join('');
}

/** Not counted name by name, which takes longer than all else here; kernels before 6.2 give no number (proc(5)). */
function openFiles(): number | undefined {
  const { size } = statSync('/proc/self/fd');
  return size > 0 ? size : undefined;
}

function openFilesLimit(): number | undefined {
  const [, soft] = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
  return soft === undefined ? undefined : Number(soft);
}
