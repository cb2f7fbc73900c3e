// The process's descriptor table. A new descriptor takes the lowest free number, as in Linux: whoever closes twice or keeps a
// number too long hits somebody else's file. Every use of a number that is not open, and of a file as what it is not, is
// written down as a violation: no correct program does it, however unlucky its peers make it.

import { EBADF, EINVAL, EMFILE } from '../../core/base/errno.ts';
import { EPOLLIN } from '../../core/linux/kernel.ts';
import { type Epoll, Pollable } from './epoll.ts';
import type { Listener } from './network.ts';
import type { Pipe } from './pipe.ts';
import type { TcpEnd } from './tcp-end.ts';

export const ENOTSOCK = 88;
/** Standard input, output and error are not ours to hand out. */
const FIRST_FD = 3;

/** An eventfd. */
export class Wake extends Pollable {
  count = 0;

  poll(): number {
    return this.count > 0 ? EPOLLIN : 0;
  }
}

export type OpenFile =
  | { readonly kind: 'socket'; readonly end: TcpEnd }
  | { readonly kind: 'listener'; readonly listener: Listener }
  | { readonly kind: 'pipe'; readonly pipe: Pipe; readonly side: 'read' | 'write' }
  | { readonly kind: 'epoll'; readonly epoll: Epoll }
  | { readonly kind: 'wake'; readonly wake: Wake };

/** Who must close it: the code under test, or the test that lent it. */
export type Owner = 'shard' | 'test';

export interface Descriptor {
  readonly fd: number;
  readonly file: OpenFile;
  readonly owner: Owner;
  /** How many descriptors had been opened before: tells two lives of one number apart. */
  readonly serial: number;
}

export class DescriptorTable {
  readonly #table: (Descriptor | undefined)[] = [];
  readonly #violate: (what: string) => void;
  readonly #max: number;
  #openCount = 0;
  opened = 0;
  closed = 0;

  constructor(max: number, violate: (what: string) => void) {
    this.#max = max;
    this.#violate = violate;
  }

  hasRoom(count: number): boolean {
    return this.#openCount + count <= this.#max;
  }

  /** @returns the number, or -EMFILE */
  open(file: OpenFile, owner: Owner): number {
    if (!this.hasRoom(1)) return -EMFILE;
    let fd = FIRST_FD;
    while (this.#table[fd] !== undefined) fd++;
    this.#table[fd] = { fd, file, owner, serial: this.opened };
    this.#openCount++;
    this.opened++;
    return fd;
  }

  /** @returns what was open there, or undefined after writing the violation down */
  close(fd: number, by: Owner): Descriptor | undefined {
    const found = this.find(fd, 'close');
    if (found === undefined) return undefined;
    if (found.owner !== by) this.#violate(`close(${fd}): a ${found.file.kind} that belongs to the ${found.owner}`);
    this.#table[fd] = undefined;
    this.#openCount--;
    this.closed++;
    return found;
  }

  find(fd: number, call: string): Descriptor | undefined {
    const found = this.#table[fd];
    if (found === undefined) this.#violate(`${call}(${fd}): EBADF`);
    return found;
  }

  /** What is still open, oldest first. */
  list(owner: Owner): Descriptor[] {
    return this.#table
      .filter((entry) => entry !== undefined)
      .filter((entry) => entry.owner === owner)
      .sort((a, b) => a.serial - b.serial);
  }

  /** The socket at `fd`, or -errno. */
  socket(fd: number, call: string): TcpEnd | number {
    const found = this.find(fd, call);
    if (found === undefined) return -EBADF;
    return found.file.kind === 'socket' ? found.file.end : this.#wrong(call, found, -ENOTSOCK);
  }

  listener(fd: number, call: string): Listener | number {
    const found = this.find(fd, call);
    if (found === undefined) return -EBADF;
    return found.file.kind === 'listener' ? found.file.listener : this.#wrong(call, found, -EINVAL);
  }

  pipe(fd: number, call: string, side: 'read' | 'write' | 'any'): Pipe | number {
    const found = this.find(fd, call);
    if (found === undefined) return -EBADF;
    if (found.file.kind !== 'pipe') return this.#wrong(call, found, -EINVAL);
    return side === 'any' || found.file.side === side ? found.file.pipe : this.#wrong(call, found, -EBADF);
  }

  epoll(fd: number, call: string): Epoll | number {
    const found = this.find(fd, call);
    if (found === undefined) return -EBADF;
    return found.file.kind === 'epoll' ? found.file.epoll : this.#wrong(call, found, -EINVAL);
  }

  wake(fd: number, call: string): Wake | number {
    const found = this.find(fd, call);
    if (found === undefined) return -EBADF;
    return found.file.kind === 'wake' ? found.file.wake : this.#wrong(call, found, -EINVAL);
  }

  /** A file that epoll can watch. */
  pollable(fd: number, call: string): Pollable | number {
    const found = this.find(fd, call);
    if (found === undefined) return -EBADF;
    if (found.file.kind === 'socket') return found.file.end;
    if (found.file.kind === 'listener') return found.file.listener;
    if (found.file.kind === 'wake') return found.file.wake;
    return this.#wrong(call, found, -EINVAL);
  }

  #wrong(call: string, found: Descriptor, result: number): number {
    this.#violate(`${call}(${found.fd}): not for a ${found.file.kind}`);
    return result;
  }
}
