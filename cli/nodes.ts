// `balancer nodes [--json] [--data-dir DIR]`: every node of the running process, a line each.

import type { CheckSnapshot, NodeSnapshot, Snapshot } from '../workers/snapshot.ts';
import { showRunning } from './running.ts';
import { type Cell, type Column, formatTable, type Paint } from './table.ts';
import { formatSince } from './units.ts';

/** A node that says to which frontend it belongs. */
export type NodeEntry = { nodebalancer: string; port: number } & NodeSnapshot;

export function runNodes(args: string[]): Promise<number> {
  return showRunning(args, { data: nodeEntries, text: nodesText });
}

const COLUMNS: readonly Column[] = [
  { title: 'FRONTEND' },
  { title: 'NODE' },
  { title: 'ADDRESS' },
  { title: 'MODE' },
  { title: 'HEALTH' },
  { title: 'SESSIONS', isNumber: true },
  { title: 'CONNECTS', isNumber: true },
  { title: 'FAILURES', isNumber: true },
  { title: 'CHECKED' },
  { title: 'SINCE', isNumber: true },
  { title: 'REASON' },
];

export function nodeEntries({ frontends }: Snapshot): NodeEntry[] {
  return frontends.flatMap(({ nodebalancer, port, nodes }) => nodes.map((node) => ({ nodebalancer, port, ...node })));
}

/** @param nowMs wall clock */
export function nodesText(snapshot: Snapshot, nowMs: number, paint: Paint): string {
  const rows = nodeEntries(snapshot).map((entry) => rowOf(entry, nowMs));
  return formatTable(COLUMNS, rows, paint);
}

function rowOf(entry: NodeEntry, nowMs: number): Cell[] {
  return [
    `${entry.nodebalancer}:${entry.port}`,
    entry.label,
    entry.address,
    entry.mode,
    healthCell(entry),
    entry.max_connections === 0 ? String(entry.sessions) : `${entry.sessions}/${entry.max_connections}`,
    String(entry.connects),
    String(entry.connect_failures + entry.connect_timeouts),
    checkText(entry.check, nowMs),
    formatSince(entry.changed, nowMs),
    entry.reason,
  ];
}

/** Down is down, whatever sessions met: one that is only out is tried again. */
function healthCell({ health, is_ejected: isEjected }: NodeSnapshot): Cell {
  if (health === 'down') return { text: 'DOWN', colour: 'red' };
  if (isEjected) return { text: 'out', colour: 'red' };
  return health === 'up' ? { text: 'UP', colour: 'green' } : { text: 'unknown', colour: 'gray' };
}

/** `2s ago in 1.25 ms` */
function checkText({ at, took_ms: tookMs }: CheckSnapshot, nowMs: number): string {
  return at === null ? '-' : `${formatSince(at, nowMs)} ago in ${tookMs} ms`;
}
