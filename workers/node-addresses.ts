// Where each node is: one address at a time, out of those that its name has. It remembers where nodes failed, chooses anew when asked
// (choose-addresses.ts), and says in one line each what comes of it. It looks nothing up and starts nothing.
//
//   at an address --fails there, the name has another--> at the next one: it starts there with a clean slate
//        |
//        '--has failed at all of them--> out, or DOWN; then each is tried in turn, and the first that answers is the node's

import { formatEndpoint, formatIp } from '../core/base/ip.ts';
import type { Config, Frontend } from '../core/config/model.ts';
import { parseNodeAddress } from '../core/config/node-address.ts';
import type { OwnAddresses } from '../core/config/own-ports.ts';
import { TWICE } from '../core/config/own-rules.ts';
import { RELAPSE_MS } from '../core/health/ejection.ts';
import { nodeName } from './check-targets.ts';
import { type Choice, chooseAddresses, following, isSame } from './choose-addresses.ts';
import type { EventLog } from './event-log.ts';
import type { Assignment } from './rows.ts';

/** Who found that a node failed: its checks, or sessions that could not connect (passive checks). */
export type FailedBy = 'check' | 'session';

interface Failure {
  readonly by: FailedBy;
  readonly atMs: number;
}

/** A node in force. */
interface Place {
  readonly choice: Choice;
  /** by address, as text */
  readonly failures: Map<string, Failure>;
  /** where it is to be next, and whether its ejection goes on there */
  wanted: Uint8Array | undefined;
  staysOut: boolean;
  /** of the next move, in words */
  why: string;
}

/** What was chosen for a configuration, not yet in force. By `nodeKey`. */
export type Choices = ReadonlyMap<string, Choice>;

const MOVED_BY_NAME = 'its host name has another address now';

export class NodeAddresses {
  /** called when a node is to be elsewhere: somebody has to choose anew */
  onChange: () => void = () => {};

  readonly #events: EventLog;
  readonly #nowMs: () => number;
  #places = new Map<string, Place>();
  #keys = new Map<number, string>();

  /** @param nowMs a monotonic clock */
  constructor(events: EventLog, nowMs: () => number) {
    this.#events = events;
    this.#nowMs = nowMs;
  }

  /** Changes nothing. */
  choose(config: Config, own: OwnAddresses, answersOf: (host: string) => readonly Uint8Array[]): Choices {
    return chooseAddresses(config, {
      own,
      answersOf,
      presentOf: (key) => this.#places.get(key)?.choice.ip,
      wantedOf: (key) => this.#places.get(key)?.wanted,
      hasFailed: (key, ip, frontend) => this.#failureAt(this.#places.get(key), ip, frontend) !== undefined,
    });
  }

  /**
   * What was chosen comes into force.
   * @param rows of all nodes @param isFile whoever wrote the addresses was told of them as they were read
   * @returns rows of nodes that have moved and are still out
   */
  commit(choices: Choices, rows: Assignment, isFile = false): ReadonlySet<number> {
    const stillOut = new Set<number>();
    const places = new Map<string, Place>();
    for (const [key, choice] of choices) {
      const before = this.#places.get(key);
      this.#tell(before, choice, isFile);
      const hasMoved = !isSame(before?.choice.ip, choice.ip);
      const row = rows.get(key);
      if (hasMoved && before?.staysOut === true && row !== undefined) stillOut.add(row);
      places.set(key, { choice, failures: failuresOf(before, choice), wanted: undefined, staysOut: false, why: '' });
    }
    this.#places = places;
    this.#keys = new Map([...rows].map(([key, row]) => [row, key]));
    return stillOut;
  }

  /** All addresses that a node may have; its present one alone, or none, where there is no choice. */
  usableOf(row: number): readonly Uint8Array[] {
    return this.#placeOf(row)?.choice.usable ?? [];
  }

  /**
   * A node failed where it is, which is known of it from now on.
   * @param why in words @param isTrial it was out already, and failed again
   * @returns whether another address takes its place, where it begins with a clean slate; false: it has failed at all of them
   */
  failed(row: number, by: FailedBy, why: string, isTrial = false): boolean {
    const place = this.#placeOf(row);
    const ip = place?.choice.ip;
    if (place === undefined || ip === undefined) return false;
    place.failures.set(formatIp(ip, 0), { by, atMs: this.#nowMs() });
    // What sessions met counts for a while only: nobody tells when they would not meet it any more. But a node that is out is tried as
    // rarely as once a minute; if failures aged meanwhile, one that is nowhere would never stay out.
    const next = following(place.choice.usable, ip).find((other) => {
      const failure = this.#failureAt(place, other, place.choice.frontend);
      return failure === undefined || (!isTrial && failure.by === 'session' && this.#ageMs(failure) >= RELAPSE_MS);
    });
    if (next === undefined) return false;
    this.#want(place, next, why, false);
    return true;
  }

  /** It has failed everywhere and stays out; the session that tries it finds it elsewhere. @returns where, if there is such a place */
  tryElsewhere(row: number, why: string): string | undefined {
    const place = this.#placeOf(row);
    const ip = place?.choice.ip;
    if (place === undefined || ip === undefined) return undefined;
    const [next] = following(place.choice.usable, ip);
    if (next === undefined) return undefined;
    this.#want(place, next, why, true);
    return formatIp(next, 0);
  }

  /** A node that is down has answered a check at another of its addresses. */
  answeredAt(row: number, ip: Uint8Array): void {
    const place = this.#placeOf(row);
    if (place === undefined || isSame(place.choice.ip, ip)) return;
    this.#want(place, ip, 'a check was answered there', false);
  }

  /** It works where it is: elsewhere it may have another try. */
  succeeded(row: number, by: FailedBy): void {
    const failures = this.#placeOf(row)?.failures;
    for (const [ip, failure] of [...(failures ?? [])]) if (failure.by === by) failures?.delete(ip);
  }

  #want(place: Place, ip: Uint8Array, why: string, staysOut: boolean): void {
    Object.assign(place, { wanted: ip, staysOut, why });
    this.onChange();
  }

  #placeOf(row: number): Place | undefined {
    return this.#places.get(this.#keys.get(row) ?? '');
  }

  /** @returns undefined as well when nobody asks any more whether it was one */
  #failureAt(place: Place | undefined, ip: Uint8Array, { check, check_passive }: Frontend): Failure | undefined {
    if (place === undefined || place.failures.size === 0) return undefined;
    const failure = place.failures.get(formatIp(ip, 0));
    const counts = failure?.by === 'check' ? check !== 'none' : check_passive;
    return counts ? failure : undefined;
  }

  #ageMs({ atMs }: Failure): number {
    return this.#nowMs() - atMs;
  }

  #tell(place: Place | undefined, choice: Choice, isFile: boolean): void {
    const before = place?.choice;
    const { ip, refused, ownPort, isLiteral } = choice;
    if (refused !== undefined && before?.refused === undefined) this.#tellRefused(choice, refused);
    else if (before?.ip !== undefined && ip !== undefined && !isSame(before.ip, ip))
      this.#tellMove(place, before.ip, choice);
    else if (before?.ip === undefined && before?.refused !== undefined && ip !== undefined) {
      this.#say('info', choice, `is at ${formatIp(ip, 0)} now`);
    }
    if (ownPort === undefined || ownPort === before?.ownPort || (isFile && isLiteral)) return;
    const at = formatEndpoint(
      ip === undefined ? '' : formatIp(ip, 0),
      parseNodeAddress(choice.node.address)?.port ?? 0,
    );
    this.#say('warn', choice, `is ${at}, ${ownPort}: ${TWICE}`);
  }

  /** Once: the name is looked up again and again, and is no better for it. */
  #tellRefused(choice: Choice, refused: string): void {
    const { ip, isLiteral } = choice;
    const what = ip === undefined ? 'takes no connections' : `stays at ${formatIp(ip, 0)}`;
    const why = isLiteral ? `this machine has its address now: ${refused}` : `its host name resolves to ${refused}`;
    this.#say('warn', choice, `${what}: ${why}`);
  }

  #tellMove(place: Place | undefined, from: Uint8Array, choice: Choice): void {
    if (choice.ip === undefined || place?.staysOut === true) return;
    const why = place?.why || MOVED_BY_NAME;
    this.#say(
      why === MOVED_BY_NAME ? 'info' : 'warn',
      choice,
      `moved from ${formatIp(from, 0)} to ${formatIp(choice.ip, 0)}: ${why}`,
    );
  }

  #say(level: 'info' | 'warn', { nodebalancer, frontend, node }: Choice, text: string): void {
    const { label, address } = node;
    const { port } = frontend;
    this.#events.tell(level, {
      kind: 'node',
      message: `node ${nodeName({ label: nodebalancer.label, port }, node)} ${text}`,
      node: { nodebalancer: nodebalancer.label, port, label, address },
    });
  }
}

/** Names may have other addresses every hour: of those that are gone nothing is kept. */
function failuresOf(before: Place | undefined, { ip, usable }: Choice): Map<string, Failure> {
  if (before === undefined || before.failures.size === 0) return new Map();
  const known = new Set([...usable, ...(ip === undefined ? [] : [ip])].map((one) => formatIp(one, 0)));
  return new Map([...before.failures].filter(([text]) => known.has(text)));
}
