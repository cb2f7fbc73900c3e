// The store of a process whose truth is a configuration file: what the file says, with ids, and no history. Things that stay in the file
// keep their ids, over a HUP and over a restart: statistics and the page's addresses go by them.

import type { Config } from '../../core/config/model.ts';
import { readDataFile, writeDataFile } from './data-file.ts';
import { EMPTY_INVENTORY, type Inventory, inventoryOf } from './inventory.ts';
import { readInventory } from './inventory-check.ts';
import { type Revision, type Store, StoreError } from './store.ts';
import { utcSeconds } from './time.ts';

export interface FileStoreOptions {
  readonly file: string;
  /** the configuration in force: another object when it has changed */
  readonly config: () => Config;
  /** where the ids are kept from one start to the next */
  readonly memory: string;
  /** id of the one region */
  readonly region: string;
  /** milliseconds since 1970 */
  readonly now: () => number;
  /** told in a sentence when the ids cannot be kept, which is no reason to serve less */
  readonly warn: (message: string) => void;
}

export class FileStore implements Store {
  readonly #options: FileStoreOptions;
  readonly #listeners = new Set<(revision: Revision) => void>();
  #config: Config | undefined;
  #text = '';
  #latest: Revision;
  /**
   * whether it was said that the ids cannot be written: each reading of the file would say it again
   */
  #isWarned = false;

  constructor(options: FileStoreOptions) {
    this.#options = options;
    this.#latest = {
      revision: 0,
      time: utcSeconds(options.now()),
      author: options.file,
      changes: [],
      inventory: this.#recall(),
    };
    this.refresh();
  }

  read(): Revision {
    this.refresh();
    return this.#latest;
  }

  /** Looks whether the file was read again. */
  refresh(): void {
    const config = this.#options.config();
    if (config === this.#config) return;
    this.#config = config;
    // A plan is told anew for other reasons too, such as another address of a host name.
    const text = JSON.stringify(config);
    if (text === this.#text) return;
    this.#text = text;
    const { region, now } = this.#options;
    const time = utcSeconds(now());
    const { revision } = this.#latest;
    const inventory = inventoryOf(config, this.#latest.inventory, region, time);
    this.#latest = { ...this.#latest, revision: revision + 1, time, inventory };
    this.#remember(inventory);
    for (const listener of this.#listeners) listener(this.#latest);
  }

  write(): never {
    throw new StoreError(`the configuration comes from ${this.#options.file}: it is not written here`);
  }

  at(): undefined {
    return undefined;
  }

  history(): readonly [] {
    return [];
  }

  watch(listener: (revision: Revision) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#listeners.clear();
  }

  /**
   * What was kept of an earlier process; a file that holds something else is no reason to start
   * with less.
   */
  #recall(): Inventory {
    const { memory, warn } = this.#options;
    try {
      const text = readDataFile(memory)?.toString();
      if (text === undefined) return EMPTY_INVENTORY;
      const inventory = readInventory(parsed(text));
      if (inventory !== undefined) return inventory;
      throw new Error('holds no ids that can be read');
    } catch (error) {
      warn(
        `${memory} ${messageOf(error)}: ids begin anew, and with them what statistics and addresses of the page go by`,
      );
      return EMPTY_INVENTORY;
    }
  }

  #remember(inventory: Inventory): void {
    const { memory, warn } = this.#options;
    try {
      writeDataFile(memory, JSON.stringify(inventory));
    } catch (error) {
      if (!this.#isWarned) warn(`${memory} ${messageOf(error)}: ids may begin anew with the next start`);
      this.#isWarned = true;
    }
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
