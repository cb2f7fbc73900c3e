// The running sessions, one by one: read from the session tables while shards write there, by their generation as in live-sessions.ts.
// Names come from the rows; whoever has those keeps them for as long as a session may refer to one.

import { clockOffset } from '../core/base/clock.ts';
import {
  DESTINATION_AT,
  DESTINATION_PORT_AT,
  ENDPOINTS_BYTES,
  formatEndpoint,
  formatIp,
  IP_BYTES,
  parseIp,
  portAt,
  SOURCE_PORT_AT,
} from '../core/base/ip.ts';
import type { SlotOwner } from '../core/session/session.ts';
import {
  FRONT,
  get,
  HIGH_WATER,
  PHASE_CONNECTING,
  PHASE_FREE,
  PHASE_QUEUED,
  PHASE_RELAYING,
  PHASE_RETRYING,
  type SessionTable,
} from '../core/session/table.ts';

export interface SessionView {
  /** `shard-slot-generation`: the same for as long as the session runs, and nobody else's afterwards */
  readonly id: string;
  /** label */
  readonly nodebalancer: string;
  readonly port: number;
  /** `192.0.2.1:50000` */
  readonly client: string;
  /** the address that the client connected to */
  readonly local: string;
  /** null while it has none */
  readonly node: { readonly label: string; readonly address: string } | null;
  readonly phase: 'connecting' | 'retrying' | 'queued' | 'relaying' | 'closing';
  /** ISO 8601 in UTC */
  readonly started: string;
  readonly idle_ms: number;
  /** received from the client, and given to it */
  readonly bytes_in: number;
  readonly bytes_out: number;
}

/** Every given field must fit. */
export interface SessionFilter {
  readonly id?: string;
  /** an address without a port */
  readonly client?: string;
  readonly nodebalancer?: string;
  readonly port?: number;
  /** `192.0.2.10:8080` */
  readonly nodeAddress?: string;
}

/** A session as the shard knows it that has it. */
export interface ShardSlot extends SlotOwner {
  readonly shard: number;
}

export interface SessionSource {
  readonly tables: readonly SessionTable[];
  /** by row, those that are gone and may still have sessions included */
  readonly frontends: ReadonlyMap<number, { readonly label: string; readonly port: number }>;
  readonly nodes: ReadonlyMap<number, { readonly label: string; readonly address: string }>;
  /** monotonic */
  nowMs(): number;
}

/** A filter with its names looked up: what is compared per session are numbers and bytes. */
interface Wanted {
  readonly owner: ShardSlot | undefined;
  readonly client: Uint8Array | undefined;
  /** rows; undefined: all */
  readonly frontends: ReadonlySet<number> | undefined;
  readonly nodes: ReadonlySet<number> | undefined;
}

/** @param limit so many are described; `total` counts all that fit */
export function listSessions(
  source: SessionSource,
  filter: SessionFilter,
  limit: number,
): { readonly total: number; readonly sessions: readonly SessionView[] } {
  const sessions: SessionView[] = [];
  const wallClockOffsetMs = clockOffset(Date.now, source.nowMs);
  let total = 0;
  eachSession(source, filter, (owner, table) => {
    const view = sessions.length < limit ? viewOf(source, owner, table, wallClockOffsetMs) : undefined;
    // It has ended meanwhile: what was read may be half of it and half of the next one.
    if (!isStillThere(table, owner)) return;
    total++;
    if (view !== undefined) sessions.push(view);
  });
  return { total, sessions };
}

/** Those that fit a filter, as their shards know them. */
export function findSessions(source: SessionSource, filter: SessionFilter): ShardSlot[] {
  const found: ShardSlot[] = [];
  eachSession(source, filter, (owner, table) => {
    if (isStillThere(table, owner)) found.push(owner);
  });
  return found;
}

function eachSession(
  source: SessionSource,
  filter: SessionFilter,
  visit: (owner: ShardSlot, table: SessionTable) => void,
): void {
  const wanted = lookUp(source, filter);
  if (wanted === undefined) return;
  for (const [shard, table] of source.tables.entries()) {
    const { owner } = wanted;
    if (owner !== undefined && owner.shard !== shard) continue;
    const used = Math.min(Atomics.load(table.shared, HIGH_WATER), table.capacity);
    const from = owner?.slot ?? 0;
    const to = owner === undefined ? used : Math.min(used, owner.slot + 1);
    for (let slot = from; slot < to; slot++) {
      const generation = Atomics.load(table.generation, slot);
      if (owner !== undefined && owner.generation !== generation) continue;
      if (isComplete(table, slot) && fits(wanted, table, slot)) visit({ shard, slot, generation }, table);
    }
  }
}

/** One that was accepted this moment has the endpoints of its slot's last owner until its first connect, or its place in the queue. */
function isComplete(table: SessionTable, slot: number): boolean {
  const phase = Atomics.load(table.phase, slot);
  return phase !== PHASE_FREE && (phase !== PHASE_CONNECTING || get(table.attempts, slot) > 0);
}

function isStillThere(table: SessionTable, { slot, generation }: SlotOwner): boolean {
  return Atomics.load(table.generation, slot) === generation && Atomics.load(table.phase, slot) !== PHASE_FREE;
}

/** @returns undefined when nothing can fit */
function lookUp({ frontends, nodes }: SessionSource, filter: SessionFilter): Wanted | undefined {
  const { id, client, nodebalancer, port, nodeAddress } = filter;
  const owner = id === undefined ? undefined : parseId(id);
  const ip = client === undefined ? undefined : parseIp(client);
  if ((id !== undefined && owner === undefined) || (client !== undefined && ip === undefined)) return undefined;
  const isFrontendWanted = nodebalancer !== undefined || port !== undefined;
  return {
    owner,
    client: ip,
    frontends: isFrontendWanted
      ? rowsOf(frontends, (one) => one.label === (nodebalancer ?? one.label) && one.port === (port ?? one.port))
      : undefined,
    nodes: nodeAddress === undefined ? undefined : rowsOf(nodes, ({ address }) => address === nodeAddress),
  };
}

function rowsOf<T>(things: ReadonlyMap<number, T>, isWanted: (thing: T) => boolean): ReadonlySet<number> {
  return new Set([...things].filter(([, thing]) => isWanted(thing)).map(([row]) => row));
}

function parseId(id: string): ShardSlot | undefined {
  const [, shard, slot, generation] = /^(\d{1,9})-(\d{1,9})-(-?\d{1,10})$/.exec(id) ?? [];
  if (shard === undefined || slot === undefined || generation === undefined) return undefined;
  return { shard: Number(shard), slot: Number(slot), generation: Number(generation) };
}

function fits({ client, frontends, nodes }: Wanted, table: SessionTable, slot: number): boolean {
  if (frontends !== undefined && !frontends.has(get(table.frontend, slot) - 1)) return false;
  if (nodes !== undefined && !nodes.has(get(table.node, slot) - 1)) return false;
  return client === undefined || hasClient(table, slot, client);
}

function hasClient({ endpoints }: SessionTable, slot: number, client: Uint8Array): boolean {
  const at = slot * ENDPOINTS_BYTES;
  for (let i = 0; i < IP_BYTES; i++) if (endpoints[at + i] !== client[i]) return false;
  return true;
}

function viewOf(source: SessionSource, owner: ShardSlot, table: SessionTable, wallClockOffsetMs: number): SessionView {
  const { slot } = owner;
  const front = slot * 2 + FRONT;
  const frontend = source.frontends.get(get(table.frontend, slot) - 1);
  const node = source.nodes.get(get(table.node, slot) - 1);
  return {
    id: `${owner.shard}-${slot}-${owner.generation}`,
    nodebalancer: frontend?.label ?? '',
    port: frontend?.port ?? 0,
    client: endpointAt(table, slot, 0, SOURCE_PORT_AT),
    local: endpointAt(table, slot, DESTINATION_AT, DESTINATION_PORT_AT),
    node: node === undefined ? null : { label: node.label, address: node.address },
    phase: phaseName(get(table.phase, slot)),
    started: new Date(get(table.acceptedMs, slot) + wallClockOffsetMs).toISOString(),
    // The shard's clock stands still within a turn, and may be behind or ahead of ours by as much.
    idle_ms: Math.max(0, Math.round(source.nowMs() - get(table.activeMs, slot))),
    bytes_in: get(table.bytesFrom, front),
    bytes_out: get(table.bytesTo, front),
  };
}

function endpointAt({ endpoints }: SessionTable, slot: number, ipAt: number, atPort: number): string {
  const at = slot * ENDPOINTS_BYTES;
  return formatEndpoint(formatIp(endpoints, at + ipAt), portAt(endpoints, at + atPort));
}

function phaseName(phase: number): SessionView['phase'] {
  if (phase === PHASE_CONNECTING) return 'connecting';
  if (phase === PHASE_RETRYING) return 'retrying';
  if (phase === PHASE_QUEUED) return 'queued';
  return phase === PHASE_RELAYING ? 'relaying' : 'closing';
}
