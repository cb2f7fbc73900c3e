// Program: connections that stay idle, `idle-client.ts PORT`. Each line on stdin is a number of connections to have; it answers
// `open N` once that many have had one whole answer from the node, so that all of the path exists. It ends with its input.

import { describeErrno } from '../../core/base/errno.ts';
import { EPOLLIN, EPOLLOUT, EPOLLRDHUP } from '../../core/linux/kernel.ts';
import { Answer } from './answer.ts';
import { listen, say } from './control.ts';
import { connectionsMax, Engine } from './engine.ts';
import { LoadError, orFail } from './failure.ts';

/** So many connects under way: the node's backlog is not what is measured here. */
const AT_ONCE = 64;
const BUFFER_BYTES = 65_536;
const REQUEST = Buffer.from('GET /small HTTP/1.1\r\nHost: bench\r\n\r\n');
const WAITS = EPOLLIN | EPOLLRDHUP;

class IdleConnections {
  readonly #engine = new Engine(connectionsMax(), BUFFER_BYTES);
  readonly #addressAt: number;
  readonly #requestAt = this.#engine.placeBytes(REQUEST);
  /** Of the connections that have no whole answer yet. */
  readonly #answers = new Map<number, Answer>();
  #begun = 0;
  #wanted = 0;

  constructor(port: number) {
    this.#addressAt = this.#engine.placeAddress(port);
    listen(this.#engine, (line) => this.#want(Number(line)));
  }

  run(): never {
    const ready = (slot: number, mask: number): void => this.#ready(slot, mask);
    for (;;) {
      const wasBusy = this.#isBusy();
      while (this.#begun < this.#wanted && this.#answers.size < AT_ONCE) this.#open(this.#begun++);
      this.#engine.poll(-1, ready);
      if (wasBusy && !this.#isBusy()) say(`open ${this.#begun}`);
    }
  }

  #want(count: number): void {
    if (!Number.isSafeInteger(count) || count > this.#engine.slots) {
      throw new LoadError(`${count} connections: only ${this.#engine.slots} descriptors may be used`);
    }
    if (count <= this.#begun && !this.#isBusy()) say(`open ${this.#begun}`);
    this.#wanted = count;
  }

  #isBusy(): boolean {
    return this.#begun < this.#wanted || this.#answers.size > 0;
  }

  #open(slot: number): void {
    const result = this.#engine.open(slot, this.#addressAt, WAITS | EPOLLOUT);
    if (result < 0) throw new LoadError(`connection ${slot}: connect: ${describeErrno(-result)}`);
    this.#answers.set(slot, new Answer());
  }

  #ready(slot: number, mask: number): void {
    const answer = this.#answers.get(slot);
    if (answer !== undefined && mask === EPOLLOUT) return this.#ask(slot);
    const { kernel, bufferAt } = this.#engine;
    const count = this.#engine.receive(slot);
    if (count < 0) throw new LoadError(`connection ${slot}: ${describeErrno(-count)}`);
    if (answer === undefined || count === 0) throw new LoadError(`connection ${slot} did not stay open and idle`);
    const state = answer.feed(kernel.arena.bytes, bufferAt, bufferAt + count);
    if (state === 'bad') throw new LoadError(`connection ${slot}: the answer is not 200 with a content-length`);
    if (state === 'whole') this.#answers.delete(slot);
  }

  #ask(slot: number): void {
    this.#engine.rewatch(slot, WAITS);
    const sent = this.#engine.send(slot, this.#requestAt, REQUEST.length);
    if (sent < REQUEST.length) throw new LoadError(`connection ${slot}: the request was not taken`);
  }
}

orFail('idle', () => new IdleConnections(Number(process.argv[2])).run());
