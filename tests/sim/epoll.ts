// epoll as in fs/eventpoll.c: a file calls its watchers when something happens (`notify`), a watcher called lands on the ready
// list, and `collect` asks each file on the list what is true now (`poll`). From this come, without further rules, edges,
// coalescing, events that vanish with their file, and edges whose reason is gone again.
// What the list's order is, and how much of it one wait reports, is chance here: the kernel promises neither.

import { EPOLLERR, EPOLLET, EPOLLHUP } from '../../core/linux/kernel.ts';
import type { Random } from './random.ts';

/** The key of a notification that wakes every watcher, whatever it waits for (sk_state_change). */
export const ANY = 0;

export interface Watch {
  readonly epoll: Epoll;
  readonly file: Pollable;
  readonly events: number;
  readonly tag: number;
  readonly generation: number;
}

export abstract class Pollable {
  readonly watches: Watch[] = [];
  /** For the other ends of connections, which no epoll watches. */
  onNotify: (() => void) | undefined;

  /** What is true now, as EPOLL* bits. */
  abstract poll(): number;

  /** @param key the EPOLL* bits that may have become true, or ANY */
  notify(key: number): void {
    for (const watch of this.watches) {
      if (key === ANY || (key & watch.events) !== 0) watch.epoll.markReady(watch);
    }
    this.onNotify?.();
  }

  /** The file's last descriptor closed: epoll forgets it. */
  dropWatches(): void {
    for (const watch of this.watches) watch.epoll.forget(watch);
    this.watches.length = 0;
  }
}

export class Epoll {
  readonly #random: Random;
  readonly #watched = new Set<Watch>();
  #ready = new Set<Watch>();

  constructor(random: Random) {
    this.#random = random;
  }

  get hasReady(): boolean {
    return this.#ready.size > 0;
  }

  find(file: Pollable): Watch | undefined {
    return file.watches.find((watch) => watch.epoll === this);
  }

  add(file: Pollable, events: number, tag: number, generation: number): void {
    const interest = (events | EPOLLERR | EPOLLHUP) >>> 0;
    const watch: Watch = { epoll: this, file, events: interest, tag, generation };
    file.watches.push(watch);
    this.#watched.add(watch);
    if ((file.poll() & interest) !== 0) this.#ready.add(watch);
  }

  remove(watch: Watch): void {
    watch.file.watches.splice(watch.file.watches.indexOf(watch), 1);
    this.forget(watch);
  }

  markReady(watch: Watch): void {
    this.#ready.add(watch);
  }

  forget(watch: Watch): void {
    this.#watched.delete(watch);
    this.#ready.delete(watch);
  }

  /** The epoll's descriptor closed: the files stay, unwatched. */
  close(): void {
    for (const watch of [...this.#watched]) this.remove(watch);
  }

  /** Takes at most `max` events off the ready list. @returns how many were reported */
  collect(max: number, report: (index: number, mask: number, watch: Watch) => void): number {
    const candidates = [...this.#ready];
    this.#random.shuffle(candidates);
    let count = 0;
    for (const watch of candidates) {
      if (count === max) break;
      this.#ready.delete(watch);
      const mask = watch.file.poll() & watch.events;
      if (mask === 0) continue;
      report(count++, mask, watch);
      // A level-triggered file stays listed until a poll finds nothing.
      if ((watch.events & EPOLLET) === 0) this.#ready.add(watch);
    }
    return count;
  }
}
