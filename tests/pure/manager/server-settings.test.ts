// The settings that the page offers for nodes: every port of theirs, every address that the balancer comes from, and nobody else trusted.

import { describe, expect, test } from 'vitest';
import { SERVERS, settingsFor } from '../../../manager/src/pages/server-settings.ts';

const NODES = ['192.0.2.10:8080', '[2001:db8::10]:8081', '192.0.2.11:8080'];
const SOURCES = ['192.0.2.5', '2001:db8::5'];

describe.each(SERVERS)('$text', ({ value }) => {
  test('names each address of the balancer', () => {
    for (const source of SOURCES) expect(settingsFor(value, NODES, SOURCES)).toContain(source);
  });

  test('says where an address is missing', () => {
    expect(settingsFor(value, [''], [])).toContain('ADDRESS-OF-THE-BALANCER');
  });
});

test.each(['nginx', 'apache', 'haproxy'] as const)('%s listens on each port of the nodes, once', (server) => {
  const lines = settingsFor(server, NODES, SOURCES).split('\n');
  for (const port of ['8080', '8081']) {
    expect(lines.filter((line) => /^\s*(listen|bind)\b/i.test(line) && line.includes(port))).toHaveLength(1);
  }
});

test('HAProxy takes a header from the balancer alone', () => {
  expect(settingsFor('haproxy', NODES, SOURCES)).toContain('reject unless { src 192.0.2.5 2001:db8::5 }');
});
