// The one way to change the inventory: one change after the other, each judged against the latest revision, put into force, written,
// and only then answered. What is refused at any point changes nothing.

import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../core/config/model.ts';
import type { OwnAddresses } from '../core/config/own-ports.ts';
import { Serial } from '../workers/serial.ts';
import { type DataPlane, RefusedChange } from './data-plane.ts';
import { describeDifference } from './store/difference.ts';
import { configOf, type Inventory, inventoryOf } from './store/inventory.ts';
import { isSound } from './store/inventory-check.ts';
import { describeRefusal } from './store/refusal.ts';
import type { Revision, RevisionInfo, Store } from './store/store.ts';
import { utcSeconds } from './store/time.ts';

/** The configuration comes from a file, and is changed there. */
export class ReadOnlyError extends Error {
  override readonly name = 'ReadOnlyError';
  constructor(file: string) {
    super(`the configuration comes from ${file}: change it there, and send the balancer SIGHUP`);
  }
}

/** What was to be changed is not what the caller saw. */
export class StaleError extends Error {
  override readonly name = 'StaleError';
  readonly latest: RevisionInfo;
  constructor(latest: RevisionInfo) {
    super(`It was changed meanwhile, by ${latest.author} (revision ${latest.revision}).`);
    this.latest = latest;
  }
}

export interface ChangesOptions {
  readonly store: Store;
  readonly plane: Pick<DataPlane, 'apply' | 'file'>;
  /** id of the one region */
  readonly region: string;
  /** what a node must not be, at this moment */
  readonly own: () => OwnAddresses;
  /** milliseconds since 1970 */
  readonly now?: () => number;
}

/** @param now as the API writes times @throws whatever says why not */
export type Edit = (inventory: Inventory, now: string) => Inventory;

export class Changes {
  readonly #store: Store;
  readonly #plane: ChangesOptions['plane'];
  readonly #region: string;
  readonly #own: () => OwnAddresses;
  readonly #now: () => number;
  readonly #changes = new Serial();

  constructor({ store, plane, region, own, now = Date.now }: ChangesOptions) {
    this.#store = store;
    this.#plane = plane;
    this.#region = region;
    this.#own = own;
    this.#now = now;
  }

  /**
   * @param isCurrent whether the inventory still has what the caller saw
   * @returns the revision in force; the old one when the edit changes nothing
   * @throws ReadOnlyError, StaleError, RefusedChange, StoreError, ConflictError, or what `edit` throws
   */
  change(author: string, edit: Edit, isCurrent: (inventory: Inventory) => boolean = () => true): Promise<Revision> {
    return this.#changes.run(() => this.#change(author, edit, isCurrent));
  }

  /** Goes back to what was, as a new revision. @returns undefined when there is no such revision, or no longer @throws as `change` */
  async rollback(
    author: string,
    revision: number,
    isCurrent: () => boolean = () => true,
  ): Promise<Revision | undefined> {
    this.#refuseWithFile();
    const target = this.#store.at(revision);
    if (target === undefined) return undefined;
    const refusal = describeRefusal(target, this.#own());
    if (refusal !== undefined) throw new RefusedChange(refusal);
    return this.change(author, ({ nextId }) => ({ ...target.inventory, nextId }), isCurrent);
  }

  /** Everything is to be as a configuration file says. @throws as `change` */
  replace(author: string, config: Config, isCurrent: () => boolean = () => true): Promise<Revision> {
    return this.change(author, (inventory, now) => inventoryOf(config, inventory, this.#region, now), isCurrent);
  }

  /** What `replace` would change. */
  preview(config: Config): readonly string[] {
    const { inventory } = this.#store.read();
    return differences(inventory, inventoryOf(config, inventory, this.#region, utcSeconds(this.#now())));
  }

  async #change(author: string, edit: Edit, isCurrent: (inventory: Inventory) => boolean): Promise<Revision> {
    this.#refuseWithFile();
    const before = this.#store.read();
    if (!isCurrent(before.inventory)) throw new StaleError(before);
    const inventory = edit(before.inventory, utcSeconds(this.#now()));
    const changes = differences(before.inventory, inventory);
    if (changes.length === 0) return before;
    try {
      await this.#plane.apply(configOf(inventory));
      return this.#store.write(before.revision, { author, changes, inventory });
    } catch (error) {
      // Whatever else it is, the change may be in force, and be it in part. What is not written must not be: it would be gone after
      // the next start.
      if (!(error instanceof RefusedChange)) await this.#goBack(before.inventory, error);
      throw error;
    }
  }

  async #goBack(inventory: Inventory, cause: unknown): Promise<void> {
    try {
      await this.#plane.apply(configOf(inventory));
    } catch (error) {
      throw new Error(
        'A change that is not stored is in force until the next one: what was before could not be put back',
        {
          cause: new AggregateError([cause, error]),
        },
      );
    }
  }

  #refuseWithFile(): void {
    if (this.#plane.file !== undefined) throw new ReadOnlyError(this.#plane.file);
  }
}

/** In lines; none when nothing differs. What this version does not accept may have the same name or port twice: it is replaced as a whole. */
function differences(before: Inventory, after: Inventory): readonly string[] {
  if (!isSound(before)) return ['the whole configuration anew: this version did not accept what was stored'];
  const lines = describeDifference(before, after);
  if (lines.length > 0 || isDeepStrictEqual(withoutTimes(before), withoutTimes(after))) return lines;
  return [
    'what has the same names is something else: it has the ids, and what else is not shown, of an earlier revision',
  ];
}

/** What a change is about: neither when it was made, nor which ids were given away. */
function withoutTimes({ nodebalancers }: Inventory): unknown {
  return nodebalancers.map(({ updated, ...rest }) => rest);
}
