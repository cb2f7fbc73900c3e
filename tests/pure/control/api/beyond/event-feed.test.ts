// Who hears what: readers that come and go, that come back, and that do not read.

import { EventEmitter } from 'node:events';
import { describe, expect, test } from 'vitest';
import { EventFeed, READERS_MAX, type Reader } from '../../../../../control/api/event-feed.ts';

class StandInReader extends EventEmitter {
  destroyed = false;
  writableLength = 0;
  text = '';

  write(text: string): boolean {
    this.text += text;
    return true;
  }
  end(): this {
    return this.destroy();
  }
  destroy(): this {
    this.destroyed = true;
    this.emit('close');
    return this;
  }

  get ids(): string[] {
    return [...this.text.matchAll(/^id: (.*)$/gm)].map(([, id = '']) => id);
  }
}

function read(feed: EventFeed, lastSeen?: string): StandInReader {
  const reader = new StandInReader();
  feed.join(reader as unknown as Reader, lastSeen);
  return reader;
}

function publish(feed: EventFeed, count: number, message = 'node up'): void {
  for (let i = 0; i < count; i++) feed.publish({ time: '2026-01-02T03:04:05.000Z', kind: 'node', message });
}

test('an event is a message with an id and one line of JSON', () => {
  const feed = new EventFeed('life');
  const reader = read(feed);
  publish(feed, 1, 'two\nlines');
  expect(reader.text).toBe(
    'id: life-1\ndata: {"time":"2026-01-02T03:04:05.000Z","kind":"node","message":"two\\nlines"}\n\n',
  );
});

describe('a reader that comes', () => {
  test('for the first time is told what is still known', () => {
    const feed = new EventFeed('life');
    publish(feed, 2);
    expect(read(feed).ids).toEqual(['life-1', 'life-2']);
  });

  test('back is told what it missed, and nothing twice', () => {
    const feed = new EventFeed('life');
    publish(feed, 3);
    const reader = read(feed, 'life-2');
    publish(feed, 1);
    expect(reader.ids).toEqual(['life-3', 'life-4']);
  });

  test('back after a restart is told all, whatever its numbers were', () => {
    const feed = new EventFeed('second');
    publish(feed, 2);
    expect(read(feed, 'first-900').ids).toEqual(['second-1', 'second-2']);
  });

  test.each(['', 'life', 'life-', '-', 'life-x', 'life-9999999999999999', '7', '\u0000'])(
    'with the id %j is told all',
    (id) => {
      const feed = new EventFeed('life');
      publish(feed, 1);
      expect(read(feed, id).ids).toEqual(['life-1']);
    },
  );

  test('late has only the last events: memory has an end', () => {
    const feed = new EventFeed('life');
    publish(feed, 1000);
    const { ids } = read(feed);
    expect(ids).toHaveLength(200);
    expect(ids.at(-1)).toBe('life-1000');
  });

  test('and is gone already is no reader', () => {
    const feed = new EventFeed('life');
    const reader = new StandInReader();
    reader.destroy();
    feed.join(reader as unknown as Reader, undefined);
    expect(feed.readers).toBe(0);
  });
});

test('a reader that does not read is let go, and the others read on', () => {
  const feed = new EventFeed('life');
  const slow = read(feed);
  const quick = read(feed);
  slow.writableLength = 300 << 10;
  publish(feed, 2);
  expect(slow.destroyed).toBe(true);
  expect(slow.ids).toEqual([]);
  expect(quick.ids).toEqual(['life-1', 'life-2']);
  expect(feed.readers).toBe(1);
});

test('a ping lets go of it, too', () => {
  const feed = new EventFeed('life');
  const slow = read(feed);
  slow.writableLength = 300 << 10;
  feed.ping();
  expect(feed.readers).toBe(0);
});

test('a very long message is cut: a change of a thousand nodes has a line for each', () => {
  const feed = new EventFeed('life');
  const reader = read(feed);
  publish(feed, 1, 'x'.repeat(100_000));
  expect(reader.text.length).toBeLessThan(1200);
  expect(reader.text).toContain('…');
});

test('readers have a number that is full, and a place is free when one goes', () => {
  const feed = new EventFeed('life');
  const readers = Array.from({ length: READERS_MAX }, () => read(feed));
  expect(feed.isFull).toBe(true);
  readers[3]?.destroy();
  expect(feed.isFull).toBe(false);
});

test('at the end every stream ends', () => {
  const feed = new EventFeed('life');
  const readers = [read(feed), read(feed)];
  feed.close();
  expect(readers.every(({ destroyed }) => destroyed)).toBe(true);
  expect(feed.readers).toBe(0);
});
