// The checks `http` and `http_body` at their sockets: what a node sees of them, and what they make of its answers, the odd ones
// above all.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ECONNRESET } from '../../../core/base/errno.ts';
import { regularExpressionFault } from '../../../core/config/regular-expression.ts';
import { REASON } from '../../../core/health/node-states.ts';
import { type Peer, PeerListener } from '../../../testing/peer.ts';
import { freePort, LOOPBACK_IPV4 } from '../../../testing/ports.ts';
import { eventually } from '../../../testing/process.ts';
import { BODY_BYTES_MAX } from '../../../workers/checks/http-body.ts';
import { HEADER_BYTES_MAX } from '../../../workers/checks/request.ts';
import type { CheckResult, CheckTarget } from '../../../workers/checks/target.ts';
import { run } from './checks-support.ts';

const LOCAL_HEADER = Buffer.from('0d0a0d0a000d0a515549540a20000000', 'hex');
const END_OF_REQUEST = '\r\n\r\n';

let node: PeerListener;

beforeEach(async () => {
  node = await PeerListener.listen(LOOPBACK_IPV4, await freePort());
});

afterEach(() => node.close());

function passed(reason: number, detail = 0): CheckResult {
  return { ok: true, reason, detail, tookMs: expect.any(Number) } as CheckResult;
}

function failed(reason: number, detail = 0): CheckResult {
  return { ok: false, reason, detail, tookMs: expect.any(Number) } as CheckResult;
}

/** The node reads the request, answers in these pieces and ends. */
async function answerWith(changes: Partial<CheckTarget>, ...pieces: (string | Buffer)[]): Promise<CheckResult> {
  const { result, count } = run(node.port, { check: 'http', ...changes });
  const peer = await node.accept();
  await peer.recvUntil(END_OF_REQUEST);
  for (const piece of pieces) await peer.send(piece);
  await peer.fin();
  const found = await result;
  // The farewell brings nothing else.
  await eventually('the connection to be closed', () => peer.socket.destroyed);
  expect(count()).toBe(1);
  expect(peer.ended).toBe('fin');
  return found;
}

function answer(status: string, body: string | Buffer = ''): Buffer {
  const head = `HTTP/1.1 ${status}\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), Buffer.from(body)]);
}

async function requestOf(changes: Partial<CheckTarget>): Promise<{ text: string; peer: Peer }> {
  const { result } = run(node.port, { check: 'http', ...changes });
  const peer = await node.accept();
  const text = (await peer.recvUntil(END_OF_REQUEST)).toString('latin1');
  await peer.send(answer('200 OK'));
  await result;
  return { text, peer };
}

describe('the request', () => {
  test('is a GET that says who asks, and ends with FIN after the answer', async () => {
    const { text, peer } = await requestOf({ path: '/health?deep=1' });
    expect(text.split('\r\n')).toEqual([
      'GET /health?deep=1 HTTP/1.1',
      `Host: ${LOOPBACK_IPV4}:${node.port}`,
      'User-Agent: balancer-check',
      'Connection: close',
      'Accept: */*',
      '',
      '',
    ]);
    expect((await peer.recvAll()).length).toBe(0);
  });

  test.each([
    ['', '/'],
    ['health', '/health'],
    ['/a/%20b?c=d&e', '/a/%20b?c=d&e'],
  ])('asks for the path "%s" as %s', async (path, expected) => {
    expect((await requestOf({ path })).text).toMatch(`GET ${expected} HTTP/1.1\r\n`);
  });

  test.each([
    ['web.example', 'web.example'],
    ['2001:db8::1', '[2001:db8::1]'],
    ['app_db_1', 'app_db_1'],
    ['web.example.', 'web.example'],
  ])('names the host as configured: %s', async (host, expected) => {
    expect((await requestOf({ host })).text).toContain(`\r\nHost: ${expected}:${node.port}\r\n`);
  });

  test('follows the PROXY header, v2: LOCAL', async () => {
    const { result } = run(node.port, { check: 'http', proxyProtocol: 'v2' });
    const peer = await node.accept();
    expect(await peer.recv(LOCAL_HEADER.length)).toEqual(LOCAL_HEADER);
    expect((await peer.recvUntil(END_OF_REQUEST)).toString('latin1')).toMatch(/^GET \/ HTTP\/1\.1\r\n/);
    await peer.send(answer('200 OK'));
    expect(await result).toEqual(passed(REASON.status, 200));
    // The header was one write: it came whole with the first piece.
    expect(peer.pieces[0]).toBeGreaterThanOrEqual(LOCAL_HEADER.length);
  });

  test("follows the PROXY header, v1: the connection's own ends", async () => {
    const { text, peer } = await requestOf({ proxyProtocol: 'v1' });
    const { remote } = peer;
    const line = `PROXY TCP4 ${remote.address} ${LOOPBACK_IPV4} ${remote.port} ${node.port}\r\n`;
    expect(text.startsWith(`${line}GET / HTTP/1.1\r\n`)).toBe(true);
  });
});

describe('the status', () => {
  test.each([200, 204, 299, 301, 304, 399])('%d passes', async (status) => {
    expect(await answerWith({}, answer(`${status} Fine`))).toEqual(passed(REASON.status, status));
  });

  test.each([400, 404, 500, 503, 999])('%d fails', async (status) => {
    expect(await answerWith({}, answer(`${status} Bad`, 'no'))).toEqual(failed(REASON.status, status));
  });

  test('of 100 Continue and its like is not the answer', async () => {
    const pieces = ['HTTP/1.1 100 Continue\r\n\r\n', 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'];
    expect(await answerWith({}, ...pieces, answer('404 Not Found'))).toEqual(failed(REASON.status, 404));
    expect(await answerWith({}, ...pieces, answer('200 OK'))).toEqual(passed(REASON.status, 200));
  });

  test('of a change of protocol that nobody asked for fails', async () => {
    const upgrade = 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: other\r\n\r\nhello';
    expect(await answerWith({}, upgrade)).toEqual(failed(REASON.status, 101));
  });

  test('passes in pieces of one byte, and in HTTP/1.0', async () => {
    const bytes = [...'HTTP/1.0 200 OK\r\n\r\nhello'];
    expect(await answerWith({}, ...bytes)).toEqual(passed(REASON.status, 200));
  });

  test('is enough: the rest may follow later, and is read', async () => {
    const { result } = run(node.port, { check: 'http' });
    const peer = await node.accept();
    await peer.send('HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n');
    expect(await result).toEqual(passed(REASON.status, 200));
    await peer.recvEnd();
    await peer.send(Buffer.alloc(200_000, 'x'));
    await peer.fin();
    await eventually('the connection to be closed', () => peer.socket.destroyed);
    expect(peer.ended).toBe('fin');
  });
});

describe('a node that gives no answer', () => {
  test('and closes fails', async () => {
    expect(await answerWith({})).toEqual(failed(REASON.noAnswer));
  });

  test.each(['http', 'http_body'] as const)('and closes before it was asked fails: %s', async (check) => {
    const { result } = run(node.port, { check });
    const peer = await node.accept();
    peer.destroy();
    expect(await result).toEqual(failed(REASON.noAnswer));
  });

  test('and resets fails', async () => {
    const { result } = run(node.port, { check: 'http' });
    const peer = await node.accept();
    await peer.recvUntil(END_OF_REQUEST);
    peer.rst();
    expect(await result).toEqual(failed(REASON.noAnswer));
  });

  test('in time fails, and is left', async () => {
    const { result, count } = run(node.port, { check: 'http', timeoutMs: 150 });
    const peer = await node.accept();
    expect(await result).toEqual(failed(REASON.timeout));
    expect(await peer.recvEnd()).toBe('fin');
    expect(count()).toBe(1);
  });

  test('but a status for ever (1xx) fails with the timeout', async () => {
    const { result } = run(node.port, { check: 'http', timeoutMs: 150 });
    const peer = await node.accept();
    await peer.send('HTTP/1.1 102 Processing\r\n\r\n'.repeat(100));
    expect(await result).toEqual(failed(REASON.timeout));
  });
});

describe('an answer that is not HTTP', () => {
  test.each([
    ['garbage', 'SSH-2.0-OpenSSH_9.9\r\n'],
    ['zeroes', Buffer.alloc(4096)],
    ['a status that is no number', 'HTTP/1.1 abc OK\r\n\r\n'],
    ['the beginning of an answer', 'HTTP/1.1 20'],
    ['a header that does not end', 'HTTP/1.1 200 OK\r\nA: b\r\n'],
    ['one header line beyond the limit', `HTTP/1.1 200 OK\r\nA: ${'b'.repeat(HEADER_BYTES_MAX)}\r\n\r\n`],
    ['header lines beyond the limit', `HTTP/1.1 200 OK\r\n${'A: b\r\n'.repeat(HEADER_BYTES_MAX)}\r\n`],
  ])('fails: %s', async (_, bytes) => {
    expect(await answerWith({}, bytes)).toEqual(failed(REASON.notHttp));
  });

  test('and header lines below the limit are HTTP', async () => {
    const lines = `A: ${'b'.repeat(HEADER_BYTES_MAX - 100)}\r\n`;
    expect(await answerWith({}, `HTTP/1.1 200 OK\r\n${lines}\r\n`)).toEqual(passed(REASON.status, 200));
  });
});

describe('the body', () => {
  const body = (pattern: string): Partial<CheckTarget> => ({ check: 'http_body', body: pattern });
  const matched = passed(REASON.bodyMatched);
  const differs = failed(REASON.bodyDiffers);

  test.each<[string, string, CheckResult]>([
    ['it is ok here', 'ok', matched],
    ['it is ok here', '^ok$', differs],
    ['it is ok here', '(?i)IS\\s+O[KL]\\b', matched],
    ['first\nsecond', '(?m)^second$', matched],
    ['', '^$', matched],
    ['', '.', differs],
    ['anything', '', matched],
    ['schön', 'schön$', matched],
  ])('"%s" is searched for %s', async (text, pattern, expected) => {
    expect(await answerWith(body(pattern), answer('200 OK', Buffer.from(text)))).toEqual(expected);
  });

  test('does not help a bad status', async () => {
    expect(await answerWith(body('ok'), answer('500 Bad', 'ok'))).toEqual(failed(REASON.status, 500));
  });

  test('of a redirect counts; it is not followed', async () => {
    const redirect = 'HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 2\r\n\r\nok';
    expect(await answerWith(body('ok'), redirect)).toEqual(matched);
  });

  test('may be empty by its status', async () => {
    expect(await answerWith(body('ok'), 'HTTP/1.1 204 No Content\r\n\r\n')).toEqual(differs);
  });

  test('may be chunked, and matches across the chunks', async () => {
    const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
    const pieces = [head, '4\r\nit i\r\n', '3\r\ns o\r\n', '1\r\nk\r\n', '0\r\n\r\n'];
    expect(await answerWith(body('is ok$'), ...pieces)).toEqual(matched);
  });

  test('may be cut into chunks that are not', async () => {
    const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
    expect(await answerWith(body('ok'), `${head}4\r\nok ok\r\n`, 'zz')).toEqual(failed(REASON.notHttp));
  });

  test('that ends before its length is no answer', async () => {
    const short = 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nok';
    expect(await answerWith(body('ok'), short)).toEqual(failed(REASON.notHttp));
  });

  test('that is cut off by a reset is a failed connection', async () => {
    const { result } = run(node.port, { ...body('ok') });
    const peer = await node.accept();
    await peer.recvUntil(END_OF_REQUEST);
    await peer.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nok');
    await eventually('all to be sent', () => peer.socket.writableLength === 0);
    peer.rst();
    const found = await result;
    expect(found).toEqual(failed(REASON.connectError, ECONNRESET));
  });

  test('is not waited for beyond the timeout', async () => {
    const { result } = run(node.port, { ...body('ok'), timeoutMs: 150 });
    const peer = await node.accept();
    await peer.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nok');
    expect(await result).toEqual(failed(REASON.timeout));
  });

  test('of bytes that are no text does not hurt', async () => {
    const bytes = Buffer.concat([Buffer.from([0xff, 0xfe, 0xc3, 0x28, 0, 0xed, 0xa0, 0x80]), Buffer.from('ok')]);
    expect(await answerWith(body('ok$'), answer('200 OK', bytes))).toEqual(matched);
    expect(await answerWith(body('é'), answer('200 OK', bytes))).toEqual(differs);
  });

  const MIB = 1024 * 1024;
  test.each<[string, number, CheckResult]>([
    ['in the beginning', 10, matched],
    ['up to the last byte that is looked at', BODY_BYTES_MAX - 2, matched],
    ['one byte beyond', BODY_BYTES_MAX - 1, differs],
    ['far beyond', MIB - 2, differs],
  ])('of 1 MiB is searched only in the first 64 KiB: a match %s', async (_, at, expected) => {
    const bytes = Buffer.alloc(MIB, '.');
    bytes.write('ok', at);
    expect(await answerWith(body('ok'), answer('200 OK', bytes))).toEqual(expected);
  });

  // The last two are as large as the configuration takes them.
  test.each(['(a+)+$', '(a|aa)+$', '(a*)*c', '(?:a|b|ab){299}[yz]', '(?:[ab].{0,595})\\b[yz]'])(
    'cannot stall the process with the expression %s',
    async (pattern) => {
      expect(regularExpressionFault(pattern)).toBe(undefined);
      const bytes = Buffer.from(`${'ab'.repeat(8)}${'a'.repeat(BODY_BYTES_MAX - 17)}!`);
      expect(await answerWith(body(pattern), answer('200 OK', bytes))).toEqual(differs);
    },
  );
});
