// The page's pictures for the README: `node scripts/node.js scripts/screenshots.ts`. A balancer with a store of its own, nodes that
// answer, some traffic, and chromium.

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium, type Page } from 'playwright-core';
import { freePort } from '../testing/ports.ts';
import { startDemoBalancer } from './demo-balancer.ts';

const DOCS = join(import.meta.dirname, '../docs');
/** two intervals of the graphs, and a bit */
const TRAFFIC_MS = 45_000;
const CONNECTIONS_PER_SECOND = 20;

interface Picture {
  readonly name: string;
  readonly path: string;
  readonly waitFor: string;
  readonly width: number;
  readonly theme: 'light' | 'dark';
  /** or only what a window shows at first */
  readonly isWhole: boolean;
}

const PICTURES: readonly Picture[] = [
  { name: 'page-nodebalancers', path: '/nodebalancers', waitFor: 'web', width: 1280, theme: 'light', isWhole: true },
  {
    name: 'page-configuration',
    path: '/nodebalancers/1/configurations',
    waitFor: 'before the client’s first byte',
    width: 1280,
    theme: 'light',
    isWhole: false,
  },
  {
    name: 'page-summary',
    path: '/nodebalancers/1/summary',
    waitFor: 'Traffic in',
    width: 1280,
    theme: 'dark',
    isWhole: true,
  },
  {
    name: 'page-narrow',
    path: '/nodebalancers/1/configurations',
    waitFor: 'before the client’s first byte',
    width: 390,
    theme: 'dark',
    isWhole: false,
  },
];

const folder = mkdtempSync(join(tmpdir(), 'balancer-pictures-'));
const node = createServer((_request, response) => response.end('x'.repeat(20_000)));
// A node that takes whatever comes first: here nobody reads the header.
node.on('clientError', (_error, socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'));
const nodePort = await freePort();
node.listen(nodePort);
const balancer = await startDemoBalancer(folder, await freePort());
const port = await freePort();
const nodes = [1, 2, 3].map((index) => ({
  label: `web-${index}`,
  address: `127.0.0.${index}:${nodePort}`,
  weight: 100,
}));
await balancer.request('POST', '/nodebalancers', {
  region: 'local',
  label: 'web',
  ipv4: '127.0.0.1',
  tags: ['production'],
  configs: [
    {
      port,
      proxy_protocol: 'v2',
      stickiness: 'table',
      check: 'connection',
      check_interval: 5,
      check_timeout: 3,
      nodes,
    },
  ],
});
await balancer.request('POST', '/nodebalancers', {
  region: 'local',
  label: 'database',
  ipv4: '127.0.0.1',
  configs: [{ port: await freePort(), proxy_protocol: 'v1', nodes: [{ label: 'db-1', address: '127.0.0.1:3306' }] }],
});

const until = Date.now() + TRAFFIC_MS;
while (Date.now() < until) {
  const client = connect(port, '127.0.0.1', () => client.write('GET / HTTP/1.1\r\nhost: example\r\n\r\n'));
  client.on('data', () => client.end());
  client.on('error', () => client.destroy());
  await sleep(1000 / CONNECTIONS_PER_SECOND);
}

const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
for (const picture of PICTURES) {
  const { width, theme, path, waitFor, name, isWhole } = picture;
  const context = await browser.newContext({
    viewport: { width, height: 900 },
    colorScheme: theme,
    baseURL: balancer.url,
  });
  const page: Page = await context.newPage();
  await page.goto(await balancer.loginUrl());
  await page.getByRole('heading', { name: 'NodeBalancers' }).waitFor();
  await page.goto(path);
  await page.getByText(waitFor).first().waitFor();
  // Numbers that come with the next question are part of the picture.
  await sleep(2500);
  await page.screenshot({ path: join(DOCS, `${name}.png`), fullPage: isWhole });
  await context.close();
  process.stdout.write(`docs/${name}.png\n`);
}
await browser.close();
await balancer.stop();
node.close();
rmSync(folder, { recursive: true, force: true });
process.exit();
