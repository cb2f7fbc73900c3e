// The last events, and those who read them as they happen: server-sent events (html.spec.whatwg.org, section 9.2). A
// reader that does not read is let go, instead of being kept everything for. Knows no HTTP but the stream that it
// writes to.

import type { ServerResponse } from 'node:http';
import type { PlaneEvent } from '../data-plane.ts';

export const READERS_MAX = 100;
const KEPT = 200;
/** what may wait for one reader */
const UNSENT_BYTES_MAX = 256 << 10;
/** of one event: a change of a thousand nodes has a line for each */
const MESSAGE_CHARS_MAX = 1000;

interface KeptEvent {
  readonly number: number;
  readonly text: string;
}

export type Reader = Pick<ServerResponse, 'write' | 'end' | 'destroy' | 'destroyed' | 'writableLength' | 'on'>;

export class EventFeed {
  /** Numbers begin anew with each life of this feed: an id says whose they are. */
  readonly #life: string;
  readonly readersMax: number;
  /** and whether each may still read: its login may have ended */
  readonly #readers = new Map<Reader, () => boolean>();
  readonly #kept: KeptEvent[] = [];
  #last = 0;

  /** @param life another word for each feed */
  constructor(life: string, readersMax = READERS_MAX) {
    this.#life = life;
    this.readersMax = readersMax;
  }

  get isFull(): boolean {
    return this.#readers.size >= this.readersMax;
  }

  get readers(): number {
    return this.#readers.size;
  }

  publish(event: PlaneEvent): void {
    const number = ++this.#last;
    const { message } = event;
    const isLong = message.length > MESSAGE_CHARS_MAX;
    const told = isLong ? { ...event, message: `${message.slice(0, MESSAGE_CHARS_MAX)}…` } : event;
    const text = `id: ${this.#life}-${number}\ndata: ${JSON.stringify(told)}\n\n`;
    this.#kept.push({ number, text });
    if (this.#kept.length > KEPT) this.#kept.shift();
    this.#sendToAll(text);
  }

  /** Tells readers, and whatever is between us and them, that the connection is alive. */
  ping(): void {
    this.#sendToAll(': still here\n\n');
  }

  /** Begins with what is still known of what happened after `lastSeen`; without that, with all of it. */
  join(reader: Reader, lastSeen: string | undefined, isWelcome: () => boolean = () => true): void {
    if (reader.destroyed) return;
    this.#readers.set(reader, isWelcome);
    reader.on('close', () => this.#readers.delete(reader));
    reader.on('error', () => reader.destroy());
    const seen = this.#numberOf(lastSeen);
    for (const { number, text } of this.#kept) if (number > seen) this.#send(reader, text);
  }

  close(): void {
    for (const reader of this.#readers.keys()) reader.end();
  }

  #sendToAll(text: string): void {
    for (const [reader, isWelcome] of this.#readers) {
      if (isWelcome()) this.#send(reader, text);
      else this.#letGo(reader);
    }
  }

  #letGo(reader: Reader): void {
    this.#readers.delete(reader);
    reader.end();
  }

  #send(reader: Reader, text: string): void {
    if (reader.destroyed) return;
    if (reader.writableLength > UNSENT_BYTES_MAX) reader.destroy();
    else reader.write(text);
  }

  /** Of another life, nothing that we know was seen. */
  #numberOf(id: string | undefined): number {
    const [, life, number] = /^(.*)-(\d{1,15})$/.exec(id ?? '') ?? [];
    return life === this.#life ? Number(number) : 0;
  }
}
