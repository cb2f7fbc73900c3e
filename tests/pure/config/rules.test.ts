// What spans several fields: things used twice, and values that contradict each other.

import { describe, expect, test } from 'vitest';
import { errorLines, onlyError, warningLines, withFrontend, withNodes } from './support.ts';

interface Listener {
  readonly ipv4?: string;
  readonly ipv6?: string;
  readonly ports: readonly number[];
}

/** One nodebalancer on each line from line 2. */
function listeners(...all: Listener[]): string {
  const lines = all.map(({ ipv4, ipv6, ports }, i) => {
    const configs = ports.map((port) => `{ port: ${port} }`).join(', ');
    return `  - { label: web-${i}, ipv4: ${ipv4 ?? `127.0.0.${i + 1}`}, ipv6: ${ipv6 === undefined ? 'null' : `"${ipv6}"`}, configs: [${configs}] }`;
  });
  return ['nodebalancers:', ...lines].join('\n');
}

describe('two listeners on one port collide', () => {
  test.each([
    ['the same address', { ipv4: '192.0.2.1' }, { ipv4: '192.0.2.1' }, '192.0.2.1:80'],
    ['every address, twice', { ipv4: '0.0.0.0' }, { ipv4: '0.0.0.0' }, '0.0.0.0:80'],
    ['one under every', { ipv4: '0.0.0.0' }, { ipv4: '192.0.2.1' }, '192.0.2.1:80, which overlaps 0.0.0.0:80'],
    ['every over one', { ipv4: '192.0.2.1' }, { ipv4: '0.0.0.0' }, '0.0.0.0:80, which overlaps 192.0.2.1:80'],
    ['the same IPv6 address in two spellings', { ipv6: '2001:db8::1' }, { ipv6: '2001:DB8:0::1' }, '[2001:db8::1]:80'],
    ['one under every, IPv6', { ipv6: '::' }, { ipv6: '::1' }, '[::1]:80, which overlaps [::]:80'],
  ])('%s', (_name, first, second, found) => {
    const text = listeners({ ...first, ports: [443, 80] }, { ...second, ports: [80] });
    expect(onlyError(text)).toContain(
      `nodebalancers[1].configs[0].port: found ${found} (also at line 2), expected an address and port that nothing else listens on`,
    );
  });

  test.each([
    ['other ports', { ipv4: '0.0.0.0', ports: [80] }, { ipv4: '0.0.0.0', ports: [81] }],
    ['other addresses', { ipv4: '192.0.2.1', ports: [80] }, { ipv4: '192.0.2.2', ports: [80] }],
    ['other families', { ipv4: '0.0.0.0', ports: [80] }, { ipv6: '::', ipv4: '192.0.2.1', ports: [81] }],
  ])('but not %s', (_name, first, second) => {
    expect(errorLines(listeners(first, second))).toEqual([]);
  });

  test('also within one nodebalancer, once for both families', () => {
    expect(onlyError(listeners({ ipv4: '0.0.0.0', ipv6: '::', ports: [80, 80] }))).toContain(
      'configs[1].port: found 0.0.0.0:80',
    );
  });

  test('a bad address or port takes no part', () => {
    expect(onlyError(listeners({ ipv4: 'x', ports: [80] }, { ipv4: '0.0.0.0', ports: [80] }))).toContain('found "x"');
    expect(errorLines(listeners({ ipv4: '0.0.0.0', ports: [0] }, { ipv4: '0.0.0.0', ports: [0] }))).toHaveLength(2);
  });
});

describe('used once', () => {
  test('a label among the nodebalancers', () => {
    const text = 'nodebalancers:\n  - label: web\n  - label: abc\n  - label: web\n';
    expect(onlyError(text)).toBe(
      '4:12: nodebalancers[2].label: found label "web" (also at line 2), expected a label of its own',
    );
  });

  test('an address among the nodes of a config, however it is spelled', () => {
    const text = withFrontend(
      'nodes:',
      '  - { label: abc, address: "[2001:db8::1]:80" }',
      '  - { label: abc, address: "[2001:DB8:0::1]:80" }',
      '  - { label: abd, address: "HOST:80" }',
      '  - { label: abe, address: "host:80" }',
    );
    expect(errorLines(text)).toEqual([
      'c.yaml:7:36: nodebalancers[0].configs[0].nodes[1].address: found address "[2001:DB8:0::1]:80" (also at line 6), expected an address that no other node of the config has',
      'c.yaml:9:36: nodebalancers[0].configs[0].nodes[3].address: found address "host:80" (also at line 8), expected an address that no other node of the config has',
    ]);
  });

  test('the same node may serve two configs', () => {
    const nodes = 'nodes: [{ label: abc, address: "h:1" }]';
    expect(
      errorLines(`nodebalancers: [{ label: web, configs: [{ port: 80, ${nodes} }, { port: 81, ${nodes} }] }]`),
    ).toEqual([]);
  });
});

describe('check_timeout is less than check_interval', () => {
  test('both given: the timeout is to blame', () => {
    expect(onlyError(withFrontend('check_interval: 10', 'check_timeout: 10'))).toBe(
      '6:24: nodebalancers[0].configs[0].check_timeout: found 10 s, expected less than check_interval (10 s)',
    );
    expect(errorLines(withFrontend('check_interval: 11', 'check_timeout: 10'))).toEqual([]);
  });

  test('against a default, what is given is to blame', () => {
    expect(onlyError(withFrontend('check_interval: 3'))).toContain(
      '5:25: nodebalancers[0].configs[0].check_interval: found 3 s, expected more',
    );
    expect(onlyError(withFrontend('check_timeout: 5'))).toContain(
      'check_timeout: found 5 s, expected less than check_interval (5 s)',
    );
  });

  test('a bad interval is not compared', () => {
    expect(onlyError(withFrontend('check_interval: 1', 'check_timeout: 30'))).toContain(
      'check_interval: found 1, expected',
    );
  });
});

describe('checks need what they look at', () => {
  test.each([
    [['check: http'], ['check_path']],
    [['check: http_body'], ['check_path', 'check_body']],
    [['check: http_body', 'check_path: /'], ['check_body']],
    [['check: http', 'check_path: ""'], ['check_path']],
    [['check: http_body', 'check_path: /', 'check_body: ok'], []],
    [['check: connection'], []],
    [['check: none', 'check_attempts: 30', 'check_interval: 3600'], []],
  ])('%j lacks %j', (lines, missing) => {
    const errors = errorLines(withFrontend(...lines));
    expect(errors.map((line) => /found no (\w+)/.exec(line)?.[1])).toEqual(missing);
  });
});

describe('a checksum needs v2', () => {
  test.each(['none', 'v1'])('not %s', (version) => {
    expect(onlyError(withFrontend(`proxy_protocol: ${version}`, 'proxy_protocol_crc32c: true'))).toContain(
      `proxy_protocol_crc32c: found a checksum with proxy_protocol ${version}, expected proxy_protocol v2, of the config or of a node`,
    );
    const nodes = ['proxy_protocol: v1', 'proxy_protocol: none', ''];
    expect(onlyError(withNodes([`proxy_protocol: ${version}`, 'proxy_protocol_crc32c: true'], ...nodes))).toContain(
      `proxy_protocol_crc32c: found a checksum with proxy_protocol ${version}`,
    );
  });

  test('one node with it is enough', () => {
    const lines = ['proxy_protocol: v1', 'proxy_protocol_crc32c: true'];
    expect(errorLines(withNodes(lines, '', 'proxy_protocol: v2', 'proxy_protocol: none'))).toEqual([]);
    expect(errorLines(withNodes(['proxy_protocol: v2', 'proxy_protocol_crc32c: true'], 'proxy_protocol: v1'))).toEqual(
      [],
    );
  });

  test('a bad version may have been meant to be it', () => {
    const lines = ['proxy_protocol: v1', 'proxy_protocol_crc32c: true'];
    expect(onlyError(withNodes(lines, 'proxy_protocol: v3'))).toContain('nodes[0].proxy_protocol: found "v3"');
    expect(onlyError(withFrontend('proxy_protocol: v3', 'proxy_protocol_crc32c: true'))).toContain('found "v3"');
    expect(onlyError(withFrontend(...lines, 'nodes: 5'))).toContain('nodes: found the number 5');
  });

  test('off, it goes with everything', () => {
    expect(errorLines(withFrontend('proxy_protocol: v1', 'proxy_protocol_crc32c: false'))).toEqual([]);
    expect(errorLines(withFrontend('proxy_protocol: v2', 'proxy_protocol_crc32c: true'))).toEqual([]);
  });
});

/** Nodebalancers on ports 81, 82 and so on, on all addresses, each with these nodes. */
function chain(...nodes: string[][]): string {
  const lines = nodes.map((addresses, i) => {
    const list = addresses.map((address, k) => `{ label: n-${k}, address: "${address}" }`).join(', ');
    return `  - { label: web-${i}, configs: [{ port: ${81 + i}, nodes: [${list}] }] }`;
  });
  return ['nodebalancers:', ...lines].join('\n');
}

describe('a node does not lead back to its own port', () => {
  test.each([
    ['ipv4: 127.0.0.9', '127.0.0.9:81', true],
    ['ipv4: 127.0.0.9', '127.0.0.1:81', false],
    ['ipv4: 127.0.0.9', '127.0.0.9:82', false],
    ['ipv4: 192.0.2.1', '[::ffff:192.0.2.1]:81', true],
    ['ipv4: 0.0.0.0', '127.3.2.1:81', true],
    ['ipv4: 0.0.0.0', '192.0.2.1:81', false],
    ['ipv4: 0.0.0.0', '[::1]:81', false],
    ['ipv6: "::"', '[::1]:81', true],
    ['ipv6: "2001:db8::1"', '[2001:db8:0::1]:81', true],
    ['ipv6: "2001:db8::1"', '[2001:db8::2]:81', false],
    // What a name stands for is known when it is looked up.
    ['ipv4: 0.0.0.0', 'localhost:81', false],
  ])('at %s, the node %s: %s', (field, address, isItself) => {
    const nodes = `[{ label: abc, address: "${address}" }]`;
    const text = `nodebalancers: [{ label: web, ${field}, configs: [{ port: 81, nodes: ${nodes} }] }]`;
    const found = `nodes[0].address: found "${address}" (a circle: web port 81 -> web port 81), expected a node that does not lead back to its own port`;
    const expected = isItself ? [expect.stringContaining(found)] : [];
    expect(errorLines(text)).toEqual(expected);
  });

  test('over others neither: the one that closes the circle is to blame', () => {
    expect(
      errorLines(chain(['127.0.0.1:82'], ['192.0.2.1:80', '127.0.0.1:83'], ['127.0.0.1:81', '127.0.0.1:84'])),
    ).toEqual([
      'c.yaml:4:74: nodebalancers[2].configs[0].nodes[0].address: found "127.0.0.1:81" (a circle: web-2 port 83 -> web-0 port 81 -> web-1 port 82 -> web-2 port 83), expected a node that does not lead back to its own port',
    ]);
  });

  test('whatever address of the machine it takes', () => {
    const own = { local: ['192.0.2.1', '2001:db8::1'], api: undefined };
    const text = chain(['192.0.2.1:81', '192.0.2.2:81', '[2001:db8::1]:81']);
    expect(errorLines(text, 'c.yaml', own)).toEqual([
      expect.stringContaining('nodes[0].address: found "192.0.2.1:81"'),
    ]);
    expect(errorLines(text)).toEqual([]);
  });

  test('and its mode does not matter: it may be set to another at any time', () => {
    const node = '{ label: abc, address: "127.0.0.1:80", mode: reject }';
    expect(onlyError(withFrontend(`nodes: [${node}]`))).toContain('a circle');
  });

  test('where all together have more ports than may be, only that is told', () => {
    const itself = (host: string) =>
      Array.from({ length: 257 }, (_, i) => ({
        port: i + 1,
        nodes: [{ label: 'itself', address: `${host}:${i + 1}` }],
      }));
    const hosts = ['127.0.0.1', '127.0.0.2'];
    const nodebalancers = hosts.map((ipv4) => ({ label: `at-${ipv4.at(-1)}`, ipv4, configs: itself(ipv4) }));
    expect(onlyError(JSON.stringify({ nodebalancers }))).toContain('found 514 configs of all nodebalancers together');
  });
});

test('the API is no node', () => {
  const own = { local: ['192.0.2.1'], api: { ip: '0.0.0.0', port: 8080 } };
  const text = chain(['127.0.0.1:8080', '192.0.2.1:8080', '192.0.2.2:8080', '192.0.2.1:8081']);
  const found =
    "(the address of this balancer's API), expected another address, or the API at another (BALANCER_ADMIN_ADDRESS)";
  expect(errorLines(text, 'c.yaml', own)).toEqual([
    expect.stringContaining(`nodes[0].address: found "127.0.0.1:8080" ${found}`),
    expect.stringContaining(`nodes[1].address: found "192.0.2.1:8080" ${found}`),
  ]);
  expect(errorLines(text)).toEqual([]);
});

describe('warnings stop nothing', () => {
  test.each([
    ['nodebalancers: []', '1:16: nodebalancers: warning: no nodebalancers: nothing is served'],
    ['nodebalancers:\n  - label: web\n', '2:5: nodebalancers[0].configs: warning: no configs: no port is served'],
    [
      withFrontend('nodes: []'),
      '5:16: nodebalancers[0].configs[0].nodes: warning: no nodes: every connection is refused',
    ],
    [
      withFrontend(
        'nodes:',
        '  - { label: abc, address: "h:1", mode: reject }',
        '  - { label: abd, address: "h:2", mode: drain }',
      ),
      '6:11: nodebalancers[0].configs[0].nodes: warning: no node has mode accept or backup: every new connection is refused',
    ],
    [
      withFrontend('nodes: [{ label: abc, address: "h:1", weight: 7 }]'),
      '5:55: nodebalancers[0].configs[0].nodes[0].weight: warning: weight 7 has no effect with one node',
    ],
  ])('%j', (text, warning) => {
    expect(warningLines(text)).toEqual([warning]);
  });

  test('a queue without anything to wait for', () => {
    const lines = ['queue_size: 10', 'queue_timeout: 1'];
    const text = 'has no effect: no node of the config has max_connections';
    expect(warningLines(withNodes(lines, ''))).toEqual([
      `5:21: nodebalancers[0].configs[0].queue_size: warning: queue_size 10 ${text}`,
      `6:24: nodebalancers[0].configs[0].queue_timeout: warning: queue_timeout 1 ${text}`,
    ]);
    expect(warningLines(withNodes(lines, '', 'max_connections: 1'))).toEqual([]);
    expect(warningLines(withNodes(['queue_size: 1000', 'queue_timeout: 5'], ''))).toEqual([]);
  });

  test('a slow start where clients keep to their node', () => {
    expect(warningLines(withNodes(['algorithm: source'], 'slow_start: 30', '', 'slow_start: 1'))).toEqual([
      '7:59: nodebalancers[0].configs[0].nodes[0].slow_start: warning: slow_start 30 has no effect with algorithm source: clients keep to their node',
      '9:59: nodebalancers[0].configs[0].nodes[2].slow_start: warning: slow_start 1 has no effect with algorithm source: clients keep to their node',
    ]);
    for (const algorithm of ['roundrobin', 'leastconn']) {
      expect(warningLines(withNodes([`algorithm: ${algorithm}`], 'slow_start: 30', ''))).toEqual([]);
    }
  });

  test('a label that several nodes have, once', () => {
    const label = (name: string, i: number) => `  - { label: ${name}, address: "h:${i + 1}" }`;
    const names = ['abc', 'abd', 'abc', 'xyz', 'abd', 'abc'];
    const text = 'nodes of the config have the label';
    expect(warningLines(withFrontend('nodes:', ...names.map(label)))).toEqual([
      `8:22: nodebalancers[0].configs[0].nodes[2].label: warning: 3 ${text} "abc": only their addresses tell them apart`,
      `10:22: nodebalancers[0].configs[0].nodes[4].label: warning: 2 ${text} "abd": only their addresses tell them apart`,
    ]);
    const port = (number: number) => `{ port: ${number}, nodes: [{ label: abc, address: "h:1" }] }`;
    expect(warningLines(`nodebalancers: [{ label: web, configs: [${port(80)}, ${port(81)}] }]`)).toEqual([]);
  });

  test('a draining node, where no client is pinned to one', () => {
    expect(warningLines(withNodes([], '', 'mode: drain'))).toEqual([
      '7:53: nodebalancers[0].configs[0].nodes[1].mode: warning: drain acts as reject: only stickiness table pins clients',
    ]);
    expect(warningLines(withNodes(['stickiness: table'], '', 'mode: drain'))).toEqual([]);
  });

  test('nodes that take nobody but pinned clients', () => {
    expect(warningLines(withNodes(['stickiness: table'], 'mode: reject', 'mode: drain'))).toEqual([
      '7:11: nodebalancers[0].configs[0].nodes: warning: no node has mode accept or backup: only clients that are pinned to a node are served',
    ]);
    expect(warningLines(withNodes(['stickiness: table'], 'mode: reject'))[0]).toContain(
      'every new connection is refused',
    );
  });

  test('a node that is another port of the balancer', () => {
    const text = chain(['127.0.0.1:82', '192.0.2.1:82'], ['localhost:82']);
    expect(errorLines(text)).toEqual([]);
    expect(warningLines(text)).toEqual([
      '2:74: nodebalancers[0].configs[0].nodes[0].address: warning: 127.0.0.1:82 is web-1 port 82 of this balancer: each connection to it takes two sessions',
    ]);
  });

  test('several at once', () => {
    const text = withNodes(['algorithm: source', 'queue_size: 10'], 'slow_start: 5, weight: 7');
    expect(warningLines(text).map((line) => /warning: (\w+)/.exec(line)?.[1])).toEqual([
      'queue_size',
      'slow_start',
      'weight',
    ]);
  });

  test.each([
    [
      'client_conn_throttle',
      'nodebalancers: [{ label: web, client_conn_throttle: 5, configs: [{ port: 80, nodes: [{ label: abc, address: "h:1" }] }] }]',
    ],
    ['stickiness', withNodes(['stickiness: table'], '')],
    ['check', withNodes(['check: http', 'check_path: /'], '')],
    ['check settings with check none', withNodes(['check_interval: 3600', 'check_attempts: 30', 'check_path: /x'], '')],
    [
      'checks that take long to find out',
      withNodes(['check: connection', 'check_interval: 3600', 'check_attempts: 30'], ''),
    ],
  ])('%s is no reason for one', (_name, text) => {
    expect(warningLines(text)).toEqual([]);
  });
});
