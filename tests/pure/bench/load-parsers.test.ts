// What the load programs make of bytes: an HTTP answer, and an upload with any PROXY header, in pieces of every size.

import { Buffer } from 'node:buffer';
import { describe, expect, test } from 'vitest';
import { Answer } from '../../../bench/load/answer.ts';
import { Upload } from '../../../bench/load/upload.ts';

const WHOLE = 'HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 5\r\nconnection: close\r\n\r\nhello';

/** The state after `text` came in pieces of so many bytes. */
function fed<Parser extends Answer | Upload>(parser: Parser, text: Uint8Array, pieceBytes: number): Parser {
  for (let at = 0; at < text.length; at += pieceBytes) parser.feed(text, at, Math.min(text.length, at + pieceBytes));
  return parser;
}

function answered(text: string, pieceBytes = text.length): Answer {
  return fed(new Answer(), Buffer.from(text, 'latin1'), pieceBytes);
}

describe('an answer', () => {
  test('is whole after its last byte, whatever the pieces', () => {
    for (let pieceBytes = 1; pieceBytes <= WHOLE.length; pieceBytes++) {
      expect(answered(WHOLE, pieceBytes), `pieces of ${pieceBytes}`).toMatchObject({ state: 'whole', bodyBytes: 5 });
      expect(answered(WHOLE.slice(0, -1), pieceBytes).state).toBe('body');
    }
  });

  test('without a body is whole after its head', () => {
    expect(answered('HTTP/1.1 200 OK\r\ncontent-length:0\r\n\r\n').state).toBe('whole');
    expect(answered('HTTP/1.1 200 OK\r\ncontent-length:0\r\n').state).toBe('head');
  });

  test.each([
    ['another status', WHOLE.replace('200', '502')],
    ['another protocol', 'SMTP ready\r\n\r\n'],
    ['a status line that is too short', 'HTTP/1.1 2\r\n\r\n'],
    ['no length', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello'],
    ['a length that is none', 'HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\n'],
    ['more bytes than announced', `${WHOLE}!`],
  ])('with %s is bad', (_what, text) => {
    for (const pieceBytes of [1, 7, text.length]) expect(answered(text, pieceBytes).state).toBe('bad');
  });

  test('can be read again after a reset', () => {
    const answer = answered(WHOLE);
    answer.reset();
    expect(answer).toMatchObject({ state: 'head', bodyBytes: 0 });
    expect(fed(answer, Buffer.from(WHOLE), 3)).toMatchObject({ state: 'whole', bodyBytes: 5 });
  });
});

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

/** A v2 header for TCP over IPv4 whose address block is followed by so many bytes of TLVs. */
function v2Header(tlvBytes: number): Buffer {
  const rest = Buffer.alloc(12 + tlvBytes, 0x0a);
  return Buffer.concat([SIGNATURE, Buffer.of(0x21, 0x11, rest.length >> 8, rest.length & 0xff), rest]);
}

function upload(header: Uint8Array, announced: number, bodyBytes: number): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64BE(BigInt(announced));
  return Buffer.concat([header, length, Buffer.alloc(bodyBytes, 'P')]);
}

describe('an upload', () => {
  const headers: [string, Uint8Array][] = [
    ['no header', Buffer.alloc(0)],
    ['a v1 header', Buffer.from('PROXY TCP4 192.0.2.1 192.0.2.2 1234 80\r\n')],
    ['a v1 header of unknown', Buffer.from('PROXY UNKNOWN\r\n')],
    ['a v2 header', v2Header(0)],
    ['a v2 header with TLVs', v2Header(300)],
    ['a v2 header without addresses', Buffer.concat([SIGNATURE, Buffer.of(0x20, 0, 0, 0)])],
  ];

  test.each(headers)('after %s is whole after its last byte, whatever the pieces', (_what, header) => {
    const bytes = upload(header, 20, 20);
    for (const pieceBytes of [1, 2, 3, 5, 8, 13, 21, bytes.length]) {
      expect(fed(new Upload(), bytes, pieceBytes)).toMatchObject({ state: 'whole', got: 20, wanted: 20 });
      expect(fed(new Upload(), bytes.subarray(0, -1), pieceBytes)).toMatchObject({ state: 'body', got: 19 });
    }
  });

  test('that is longer than announced counts what came', () => {
    expect(fed(new Upload(), upload(Buffer.alloc(0), 20, 22), 4)).toMatchObject({ state: 'whole', got: 22 });
  });

  test('can be read again after a reset', () => {
    const again = fed(new Upload(), upload(v2Header(4), 3, 3), 6);
    again.reset();
    expect(fed(again, upload(Buffer.alloc(0), 4, 4), 6)).toMatchObject({ state: 'whole', got: 4, wanted: 4 });
  });

  test('with a header that is none is bad', () => {
    expect(fed(new Upload(), Buffer.from('\r\nGET / HTTP/1.1 and more'), 5).state).toBe('bad');
    expect(fed(new Upload(), Buffer.from(`PROXY ${'x'.repeat(200)}`), 50).state).toBe('bad');
  });
});
