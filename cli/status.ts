// `balancer status [--json] [--data-dir DIR]`: what the running process serves, a line per frontend.

import type { FrontendSnapshot, Snapshot } from '../workers/snapshot.ts';
import { showRunning } from './running.ts';
import { type Cell, type Column, formatTable, type Paint } from './table.ts';
import { counted, formatBytes, formatDuration, formatSince } from './units.ts';

export function runStatus(args: string[]): Promise<number> {
  return showRunning(args, { data: (snapshot) => snapshot, text: statusText });
}

const COLUMNS: readonly Column[] = [
  { title: 'FRONTEND' },
  { title: 'ADDRESSES' },
  { title: 'ALGORITHM' },
  { title: 'HEALTH' },
  { title: 'SESSIONS', isNumber: true },
  { title: 'QUEUED', isNumber: true },
  { title: 'ACCEPTED', isNumber: true },
  { title: 'REFUSED', isNumber: true },
  { title: 'IN', isNumber: true },
  { title: 'OUT', isNumber: true },
  { title: 'SINCE', isNumber: true },
  { title: 'REASON' },
];

/** @param nowMs wall clock */
export function statusText(snapshot: Snapshot, nowMs: number, paint: Paint): string {
  const rows = snapshot.frontends.map((frontend) => rowOf(frontend, nowMs));
  return `${headLine(snapshot, nowMs)}\n\n${formatTable(COLUMNS, rows, paint)}`;
}

function headLine({ version, pid, started, shards, sessions, connections_max }: Snapshot, nowMs: number): string {
  const parts = [
    `pid ${pid}`,
    `up ${formatDuration(nowMs - Date.parse(started))}`,
    counted(shards, 'shard'),
    `${sessions} of at most ${connections_max} sessions`,
  ];
  return `balancer ${version}: ${parts.join(', ')}`;
}

function rowOf(frontend: FrontendSnapshot, nowMs: number): Cell[] {
  const { nodebalancer, port, addresses, algorithm, health, sessions, queued, accepted } = frontend;
  return [
    `${nodebalancer}:${port}`,
    // None while the process drains.
    addresses.join(',') || '-',
    algorithm,
    health === 'up' ? { text: 'UP', colour: 'green' } : { text: 'DOWN', colour: 'red' },
    String(sessions),
    String(queued),
    String(accepted),
    String(frontend.throttled + frontend.no_node + frontend.queue_refused + frontend.queue_timeouts),
    formatBytes(frontend.bytes_in),
    formatBytes(frontend.bytes_out),
    formatSince(frontend.changed, nowMs),
    frontend.reason,
  ];
}
