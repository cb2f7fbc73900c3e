// Where inventories are kept, as the API sees it: read the latest revision, write the next one if nobody else has, hear of new ones.
// One implementation is the embedded database (sqlite-store.ts); a store that several machines share can be another.

import type { Inventory } from './inventory.ts';

/** What is known of a change. */
export interface RevisionInfo {
  /** counts up from 1; 0 is the empty inventory of a new store */
  readonly revision: number;
  /** ISO 8601 in UTC, to the second */
  readonly time: string;
  /** a token's label, or who else it was: `balancer apply` */
  readonly author: string;
  /** the differences to the revision before, one line each: see `describeDifference` */
  readonly changes: readonly string[];
}

export interface Revision extends RevisionInfo {
  readonly inventory: Inventory;
}

export interface NewRevision {
  readonly author: string;
  readonly changes: readonly string[];
  readonly inventory: Inventory;
}

/** Somebody else has written meanwhile. */
export class ConflictError extends Error {
  override readonly name = 'ConflictError';
  /** the revision that is the latest now */
  readonly latest: RevisionInfo;
  constructor(latest: RevisionInfo) {
    super(`revision ${latest.revision} was written meanwhile, by ${latest.author}`);
    this.latest = latest;
  }
}

/** The store cannot be read or written: a full disk, a damaged file. Says what to do. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  /** whether it may go by itself: another process has the store */
  readonly isTemporary: boolean;

  constructor(message: string, isTemporary = false) {
    super(message);
    this.isTemporary = isTemporary;
  }
}

export interface Store {
  /** What another version has written may break a rule of this one: see refusal.ts. @throws StoreError */
  read(): Revision;
  /**
   * Compare and set: the write holds only if the latest revision is still `base`.
   * @returns the new revision, on disk @throws ConflictError, StoreError
   */
  write(base: number, next: NewRevision): Revision;
  /** @returns undefined when there is no such revision, or no longer */
  at(revision: number): Revision | undefined;
  /** Newest first. @param before only revisions below this one */
  history(limit: number, before?: number): readonly RevisionInfo[];
  /** @returns a function that ends it */
  watch(listener: (revision: Revision) => void): () => void;
  close(): void;
}
