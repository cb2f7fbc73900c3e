// The store of a process whose truth is a configuration file: what the file says, with ids, and no history. Things that stay in the file
// keep their ids, over a HUP and over a restart: statistics and the page's addresses go by them.

import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { Config } from '../../core/config/model.ts';
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
}

export class FileStore implements Store {
  readonly #options: FileStoreOptions;
  readonly #listeners = new Set<(revision: Revision) => void>();
  #config: Config | undefined;
  #text = '';
  #latest: Revision;

  constructor(options: FileStoreOptions) {
    this.#options = options;
    this.#latest = {
      revision: 0,
      time: utcSeconds(options.now()),
      author: options.file,
      changes: [],
      inventory: recall(options.memory),
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
    const { memory, region, now } = this.#options;
    const time = utcSeconds(now());
    const { revision } = this.#latest;
    const inventory = inventoryOf(config, this.#latest.inventory, region, time);
    this.#latest = { ...this.#latest, revision: revision + 1, time, inventory };
    remember(memory, inventory);
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
}

function recall(path: string): Inventory {
  try {
    return readInventory(JSON.parse(readFileSync(path, 'utf8'))) ?? EMPTY_INVENTORY;
  } catch {
    return EMPTY_INVENTORY;
  }
}

/** In one step. Where it cannot be written ids begin anew with the next start, which is no reason to serve less. */
function remember(path: string, inventory: Inventory): void {
  try {
    writeFileSync(`${path}.new`, JSON.stringify(inventory), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  } catch {
    // A full disk, say.
  }
}
