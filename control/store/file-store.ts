// The store of a process whose truth is a configuration file: what the file says, with ids by order, and nothing to be written. Things that
// stay in the file keep their ids over a HUP, as long as the control thread lives.

import type { Config } from '../../core/config/model.ts';
import { EMPTY_INVENTORY, inventoryOf } from './inventory.ts';
import { type Revision, type Store, StoreError } from './store.ts';
import { utcSeconds } from './time.ts';

export interface FileStoreOptions {
  readonly file: string;
  /** the configuration in force: another object when it has changed */
  readonly config: () => Config;
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
      inventory: EMPTY_INVENTORY,
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
    const { inventory, revision } = this.#latest;
    this.#latest = {
      ...this.#latest,
      revision: revision + 1,
      time,
      inventory: inventoryOf(config, inventory, region, time),
    };
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
