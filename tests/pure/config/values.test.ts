// Each value at its limits, and the words for what is outside.

import { describe, expect, test } from 'vitest';
import { configOf, errorLines, onlyError, withFrontend } from './support.ts';

const NODE = '{ label: abc, address: "h:1", ';

function withNodeField(field: string): string {
  return withFrontend('nodes:', `  - ${NODE}${field} }`);
}

describe('whole numbers have a range', () => {
  const fields: [string, number, number, (value: string) => string][] = [
    ['port', 1, 65535, (value) => `nodebalancers: [{ label: web, configs: [{ port: ${value} }] }]`],
    ['client_conn_throttle', 0, 20, (value) => `nodebalancers: [{ label: web, client_conn_throttle: ${value} }]`],
    ['check_interval', 2, 3600, (value) => withFrontend('check_timeout: 1', `check_interval: ${value}`)],
    ['check_timeout', 1, 30, (value) => withFrontend('check_interval: 3600', `check_timeout: ${value}`)],
    ['check_attempts', 1, 30, (value) => withFrontend(`check_attempts: ${value}`)],
    ['weight', 1, 255, (value) => withNodeField(`weight: ${value}`)],
    ['max_connections', 0, 1_000_000, (value) => withNodeField(`max_connections: ${value}`)],
    ['slow_start', 0, 3600, (value) => withNodeField(`slow_start: ${value}`)],
    ['queue_size', 0, 100_000, (value) => withFrontend(`queue_size: ${value}`)],
    ['queue_timeout', 1, 3600, (value) => withFrontend(`queue_timeout: ${value}`)],
  ];

  test.each(fields)('%s from %d to %d', (_name, min, max, text) => {
    expect(errorLines(text(String(min)))).toEqual([]);
    expect(errorLines(text(String(max)))).toEqual([]);
    for (const bad of [String(min - 1), String(max + 1), '1.5', '99999999999999999999999']) {
      expect(onlyError(text(bad))).toContain(`expected a whole number from ${min} to ${max}`);
    }
  });

  test.each(fields)('%s is never taken from a text', (_name, min, max, text) => {
    expect(onlyError(text(`"${max}"`))).toContain(
      `found the text "${max}", expected a whole number from ${min} to ${max}, without quotes`,
    );
  });

  test.each([
    ['true', 'true'],
    ['null', 'nothing'],
    ['', 'nothing'],
    ['[80]', 'a list'],
    ['{ a: 1 }', 'a mapping'],
    ['8_0', 'the text "8_0"'],
    ['-1', '-1'],
  ])('a port is not %s', (value, found) => {
    const text = `nodebalancers:\n  - label: web\n    configs:\n      - port: ${value}\n`;
    expect(onlyError(text)).toContain(`port: found ${found}, expected a whole number from 1 to 65535`);
  });

  test.each(['0080', '0x50', '0o120', '8e1', '.inf', '-.INF', '.nan', '1e400', '+80', '80.'])(
    'the notation %s is refused: readers disagree about it',
    (value) => {
      const text = `nodebalancers:\n  - label: web\n    configs:\n      - port: ${value}\n`;
      expect(onlyError(text)).toBe(
        `4:15: nodebalancers[0].configs[0].port: found the number "${value}", ` +
          'expected a number in plain decimal digits (or quotes, if it is a text)',
      );
    },
  );
});

describe('labels', () => {
  const nodebalancer = (label: string) => `nodebalancers: [{ label: ${label} }]`;
  const node = (label: string) => withFrontend('nodes:', `  - { label: ${label}, address: "h:1" }`);

  test.each(['abc', 'a-b', 'a_b', '-_-', `"${'a'.repeat(32)}"`, '"123"'])(
    '%s names a nodebalancer and a node',
    (label) => {
      expect(errorLines(nodebalancer(label))).toEqual([]);
      expect(errorLines(node(label))).toEqual([]);
    },
  );

  test('with a dot name only a node', () => {
    expect(errorLines(node('a.b'))).toEqual([]);
    expect(onlyError(nodebalancer('a.b'))).toContain('found "a.b", expected 3 to 32 letters, digits, "-" or "_"');
  });

  test.each([
    ['ab', '"ab" (2 characters)'],
    ['""', '"" (0 characters)'],
    [`"${'a'.repeat(33)}"`, `"${'a'.repeat(33)}" (33 characters)`],
    ['a b', '"a b"'],
    ['"a\\nb"', '"a\\nb"'],
    ['"äöü"', '"äöü"'],
    ['"a\\u202eb"', '"a\\u{202e}b"'],
    ['"a\\u0000b"', '"a\\u0000b"'],
    ['<b>', '"<b>"'],
  ])('%s is none, and is quoted safely', (label, found) => {
    expect(onlyError(nodebalancer(label))).toContain(`label: found ${found}, expected 3 to 32`);
    expect(onlyError(node(label))).toContain(`label: found ${found}, expected 3 to 32`);
  });

  test('of 5,000 characters are cut in the message', () => {
    expect(onlyError(nodebalancer('a'.repeat(5000)))).toContain('aaa…" (5000 characters), expected');
    expect(onlyError(nodebalancer('a'.repeat(5000))).length).toBeLessThan(250);
  });

  test('that YAML reads as a number or a boolean need quotes', () => {
    expect(onlyError(nodebalancer('123'))).toContain(
      'found the number 123, expected 3 to 32 letters, digits, "-" or "_", in quotes',
    );
    expect(onlyError(nodebalancer('true'))).toContain(
      'found true, expected 3 to 32 letters, digits, "-" or "_", in quotes',
    );
    expect(onlyError(nodebalancer('007'))).toContain('found the number "007"');
  });
});

describe('one of a few words', () => {
  const ALLOWED: Readonly<Record<string, readonly string[]>> = {
    algorithm: ['roundrobin', 'leastconn', 'source'],
    stickiness: ['none', 'table'],
    proxy_protocol: ['none', 'v1', 'v2'],
    check: ['none', 'connection'],
  };

  test.each(Object.entries(ALLOWED))('%s', (key, words) => {
    for (const word of words) expect(errorLines(withFrontend(`${key}: ${word}`))).toEqual([]);
  });

  test("the proxy_protocol of a node, which may also be nothing: the config's", () => {
    for (const word of ['none', 'v1', 'v2', 'null', '~']) {
      expect(errorLines(withNodeField(`proxy_protocol: ${word}`))).toEqual([]);
    }
    expect(onlyError(withNodeField('proxy_protocol: V1'))).toContain(
      'nodes[0].proxy_protocol: found "V1", expected none, v1 or v2 or null; did you mean "v1"?',
    );
  });

  test.each([
    ['proxy_protocol: v3', 'found "v3", expected none, v1 or v2'],
    ['proxy_protocol: 2', 'found the number 2, expected none, v1 or v2'],
    ['proxy_protocol: V2', 'found "V2", expected none, v1 or v2; did you mean "v2"?'],
    ['algorithm: round-robin', 'expected roundrobin, leastconn or source; did you mean "roundrobin"?'],
    ['algorithm: leastconnections', '; did you mean "leastconn"?'],
    ['algorithm: ring_hash', 'found "ring_hash" (only for protocol udp), expected roundrobin, leastconn or source'],
    ['stickiness: http_cookie', 'found "http_cookie" (only for protocol http and https), expected none or table'],
    ['protocol: http', 'found "http" (not served yet), expected tcp'],
    ['protocol: https', 'found "https" (not served yet), expected tcp'],
    ['protocol: udp', 'found "udp" (not served yet), expected tcp'],
    ['protocol: tpc', 'found "tpc", expected tcp; did you mean "tcp"?'],
    ['check: null', 'found nothing, expected none, connection, http or http_body'],
    ['check_passive: yes', 'found the text "yes", expected true or false; did you mean "true"?'],
    ['check_passive: 0', 'found the number 0, expected true or false'],
  ])('%s', (line, message) => {
    expect(onlyError(withFrontend(line)).endsWith(message)).toBe(true);
  });

  test('names inherited by every object are no words and no reasons', () => {
    expect(onlyError(withFrontend('protocol: constructor'))).toContain('found "constructor", expected tcp');
    expect(onlyError(withFrontend('check_passive: toString'))).toContain(
      'found the text "toString", expected true or false',
    );
  });
});

describe('addresses', () => {
  test.each(['0.0.0.0', '127.0.0.1', '255.255.255.254'])('%s is an IPv4 address', (ip) => {
    expect(configOf(`nodebalancers: [{ label: web, ipv4: ${ip} }]`).nodebalancers[0]?.ipv4).toBe(ip);
  });

  test.each(['"::"', '"::1"', '"2001:DB8::1"', '"fe80::1"', '"::192.0.2.1"', 'null', '~'])(
    '%s is an IPv6 address or none',
    (ip) => {
      expect(errorLines(`nodebalancers: [{ label: web, ipv6: ${ip} }]`)).toEqual([]);
    },
  );

  test.each(['"::"', '1.2.3', '1.2.3.256', '01.2.3.4', 'localhost', '1.2.3.4:80', '""', '1.2.3.4/8'])(
    '%s is no IPv4 address',
    (ip) => {
      expect(onlyError(`nodebalancers: [{ label: web, ipv4: ${ip} }]`)).toContain('expected an IPv4 address');
    },
  );

  test.each(['192.0.2.1', '"::ffff:192.0.2.1"', '"fe80::1%eth0"', '"[::]"', '":::"', '"1:2:3"', 'none'])(
    '%s is no IPv6 address',
    (ip) => {
      expect(onlyError(`nodebalancers: [{ label: web, ipv6: ${ip} }]`)).toContain('expected an IPv6 address or null');
    },
  );

  test.each([
    ['ipv4: 224.0.0.1', 'a multicast address'],
    ['ipv4: 255.255.255.255', 'the broadcast address'],
    ['ipv6: "ff02::1"', 'a multicast address'],
  ])('nobody is reached at %s', (field, why) => {
    expect(onlyError(`nodebalancers: [{ label: web, ${field} }]`)).toContain(`" (${why}), expected an IPv`);
  });

  test('the longest host name has 253 characters and a dot at its end', () => {
    const node = (name: string) => withFrontend('nodes:', `  - { label: abc, address: "${name}:65535" }`);
    const longest = `${'a.'.repeat(126)}a.`;
    expect(errorLines(node(longest))).toEqual([]);
    expect(onlyError(node(`b${longest}`))).toContain('address: found "ba.a.');
  });

  test('of a node say what is wrong with them', () => {
    expect(onlyError(withFrontend('nodes:', '  - { label: abc, address: "fd00::2:80" }'))).toBe(
      '6:36: nodebalancers[0].configs[0].nodes[0].address: ' +
        'found "fd00::2:80" (an IPv6 address needs brackets, as in [2001:db8::1]:80), expected ipv4:port, [ipv6]:port or host:port',
    );
  });
});

describe('health checks', () => {
  test.each(['/', '/a/b-c_d'.replace('_', '.'), '/x?y=1&z=%20'])('the path %s is accepted', (path) => {
    expect(errorLines(withFrontend('check: http', `check_path: "${path}"`))).toEqual([]);
  });

  test.each(['/a b', '/ä', '/<x>', '/a\\n', '/a_b'])('the path %s is not', (path) => {
    expect(onlyError(withFrontend(`check_path: "${path}"`))).toContain(
      'expected a path of letters, digits and / - % ? & = .',
    );
  });

  test('the body is a regular expression', () => {
    expect(errorLines(withFrontend("check_body: '^(ok|up)\\d+$'"))).toEqual([]);
    expect(errorLines(withFrontend(`check_body: ${'a'.repeat(1024)}`))).toEqual([]);
    expect(onlyError(withFrontend(`check_body: ${'a'.repeat(1025)}`))).toContain('(1025 characters)');
  });

  // The engine that will match it decides, not the one of JavaScript, which takes half of these.
  test.each([
    ['(ok', 'missing closing ")"'],
    ['ok)', 'unexpected ")"'],
    ['a[b', 'missing closing "]": "[b"'],
    ['*ok', 'missing argument to repetition operator: "*"'],
    ['ok\\', 'trailing backslash at end of expression'],
    ['ok(?=.)', 'look-ahead, which the linear-time engine does not have'],
    ['ok(?!.)', 'look-ahead, which the linear-time engine does not have'],
    ['(?<=a)ok', 'look-behind, which the linear-time engine does not have'],
    ['(?<!a)ok', 'look-behind, which the linear-time engine does not have'],
    ['(a)\\1', 'a back-reference, which the linear-time engine does not have'],
    ['(?<x>a)\\k<x>', 'a back-reference, which the linear-time engine does not have'],
    ['a{1001}', 'invalid repeat count: "{1001}"'],
    ['a\n(?>b)', 'invalid or unsupported Perl syntax: "(?>"'],
  ])('the body is not %j', (text, why) => {
    expect(onlyError(withFrontend(`check_body: ${JSON.stringify(text)}`))).toBe(
      `5:21: nodebalancers[0].configs[0].check_body: found ${JSON.stringify(text)} (${why}), ` +
        'expected a regular expression of at most 1024 characters',
    );
  });

  // What a repetition becomes when it is written out.
  test.each(['\\pL{1000}', 'x{0,1000}', '(a{10}){100}'])('%s, as often as it fits, is too large', (piece) => {
    const text = piece.repeat(Math.floor(1024 / piece.length));
    expect(onlyError(withFrontend(`check_body: ${JSON.stringify(text)}`))).toMatch(
      /\(too large: \d{5,} steps, of which 1200 are possible\), expected a regular expression/,
    );
  });

  test.each(['\\pL{1000}', 'x'.repeat(1024)])('%s is not', (text) => {
    expect(errorLines(withFrontend(`check_body: ${JSON.stringify(text)}`))).toEqual([]);
  });
});
