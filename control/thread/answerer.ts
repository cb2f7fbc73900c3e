// What the control thread asks of the data plane, done one after the other in the main thread, with an answer in any case.

import { formatIp } from '../../core/base/ip.ts';
import { describeChange } from '../../core/config/diff.ts';
import type { Config } from '../../core/config/model.ts';
import { ListenError } from '../../workers/listeners.ts';
import { Serial } from '../../workers/serial.ts';
import type { ShardSlot } from '../../workers/session-list.ts';
import { RefusedError, type Supervisor } from '../../workers/supervisor.ts';
import type { Readiness } from '../data-plane.ts';
import type { ChangeAnswer, KillAnswer } from './channel.ts';

export class Answerer {
  readonly #supervisor: Pick<Supervisor, 'reload' | 'shards'>;
  readonly #ready = Promise.withResolvers<void>();
  #isDraining = false;
  readonly #changes = new Serial();

  constructor(supervisor: Pick<Supervisor, 'reload' | 'shards'>) {
    this.#supervisor = supervisor;
    // The first configuration must be in force before it can be changed.
    void this.#changes.run(() => this.#ready.promise);
  }

  setReadiness(readiness: Readiness): void {
    if (readiness === 'starting') return;
    this.#isDraining = readiness === 'draining';
    this.#ready.resolve();
  }

  /** One after the other, name resolution included: or an earlier change could overtake a later one. */
  apply(config: Config): Promise<ChangeAnswer> {
    return this.#changes.run(() => this.#apply(config));
  }

  async #apply(config: Config): Promise<ChangeAnswer> {
    if (this.#isDraining) return { kind: 'refused', message: 'the balancer is about to end', listen: undefined };
    try {
      const changes = await this.#supervisor.reload(config);
      return { kind: 'applied', changes: changes.map(describeChange) };
    } catch (error) {
      return describeFailure(error);
    }
  }

  async kill(owners: readonly ShardSlot[]): Promise<KillAnswer> {
    try {
      return { kind: 'killed', sessions: await this.#supervisor.shards.kill(owners) };
    } catch (error) {
      return { kind: 'failed', message: `sessions may not have ended: ${messageOf(error)}` };
    }
  }
}

function describeFailure(error: unknown): ChangeAnswer {
  if (error instanceof ListenError) {
    const { ip, port } = error.address;
    return { kind: 'refused', message: error.message, listen: { ip: formatIp(ip, 0), port } };
  }
  if (error instanceof RefusedError) return { kind: 'refused', message: error.message, listen: undefined };
  return { kind: 'failed', message: `the change may be in force in part: ${messageOf(error)}` };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
