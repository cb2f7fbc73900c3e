// One ended session as the access log tells it: a record of numbers -> a line of JSON. Pure.

import { errnoName } from '../core/base/errno.ts';
import {
  DESTINATION_AT,
  DESTINATION_PORT_AT,
  formatEndpoint,
  formatIp,
  portAt,
  SOURCE_PORT_AT,
} from '../core/base/ip.ts';
import type { SessionRecord } from '../core/metrics/session-log.ts';
import { describeOutcome, outcomeCode } from '../core/session/outcome.ts';

/** Names for the rows that records carry. */
export interface RowNames {
  frontend(row: number): { label: string; port: number } | undefined;
  node(row: number): { label: string; address: string } | undefined;
}

/** @param wallClockOffsetMs from the monotonic clock to the time of day @returns with its line break */
export function sessionLine(shard: number, record: SessionRecord, names: RowNames, wallClockOffsetMs: number): string {
  return `${JSON.stringify(fieldsOf(shard, record, names, wallClockOffsetMs))}\n`;
}

function fieldsOf(shard: number, record: SessionRecord, names: RowNames, wallClockOffsetMs: number) {
  const frontend = names.frontend(record.frontend - 1);
  const node = names.node(record.node - 1);
  const outcome = outcomeCode(record.outcomeWho, record.outcomePhase);
  const errno = errnoName(record.backErrno) || errnoName(record.frontErrno);
  return {
    time: new Date(record.endedMs + wallClockOffsetMs).toISOString(),
    connection: `${shard}-${record.connection}`,
    shard,
    nodebalancer: frontend?.label,
    port: frontend?.port,
    client: endpoint(record.endpoints, 0, SOURCE_PORT_AT),
    destination: endpoint(record.endpoints, DESTINATION_AT, DESTINATION_PORT_AT),
    node: node?.label,
    node_address: node?.address,
    attempts: record.attempts,
    connect_ms: record.connectedMs === 0 ? null : round(record.connectedMs - record.acceptedMs),
    first_byte_ms: record.firstByteMs === 0 ? null : round(record.firstByteMs - record.acceptedMs),
    total_ms: round(record.endedMs - record.acceptedMs),
    bytes_from_client: record.bytesFromFront,
    bytes_to_client: record.bytesToFront,
    bytes_from_node: record.bytesFromBack,
    bytes_to_node: record.bytesToBack,
    bytes_spliced: record.bytesSpliced,
    header_bytes: record.headerBytes,
    outcome,
    reason: describeOutcome(outcome),
    ...(errno === '' ? {} : { errno }),
  };
}

function endpoint(bytes: Uint8Array, ipAt: number, portFrom: number): string {
  return formatEndpoint(formatIp(bytes, ipAt), portAt(bytes, portFrom));
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
