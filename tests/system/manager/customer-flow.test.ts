// The customer's own steps: the menu, the NodeBalancer, the Configurations tab, the port, Protocol TCP, Proxy Protocol, Save; and what
// the node receives before and after.

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { available, launchBrowser, logIn, missing, visit } from '../../../testing/browser.ts';
import { Peer, PeerListener } from '../../../testing/peer.ts';
import { freePort } from '../../../testing/ports.ts';
import { Home, type StoredBalancer } from '../../../testing/stored-balancer.ts';

describe.skipIf(!available())(`the page${available() ? '' : ` (skipped: ${missing})`}`, () => {
  let browser: Browser;
  let balancer: StoredBalancer;
  let node: PeerListener;
  let port = 0;
  const home = new Home();

  beforeAll(async () => {
    browser = await launchBrowser();
    balancer = await home.start();
    node = await PeerListener.listen('127.0.0.1', await freePort());
    port = await freePort();
    await balancer.create('web', { port }, [{ label: 'web-1', address: `127.0.0.1:${node.port}` }]);
  });
  afterAll(async () => {
    await browser.close();
    await balancer.stop();
    await node.close();
    home.remove();
  });

  /** What reaches the node when a client sends `hello`. */
  async function connectAndSend(): Promise<{ client: Peer; accepted: Peer }> {
    const client = await Peer.connect({ host: '127.0.0.1', port });
    const accepted = await node.accept();
    await client.send('hello');
    return { client, accepted };
  }

  test('Protocol TCP shows the Proxy Protocol select, and Save is in force at once', async () => {
    const before = await connectAndSend();
    expect((await before.accepted.recv(5)).toString()).toBe('hello');

    const visitor = await visit(browser, balancer);
    const { page } = visitor;
    await logIn(visitor, balancer);
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'NodeBalancers' }).click();
    await page.getByRole('link', { name: 'web', exact: true }).click();
    await page.getByRole('link', { name: 'Configurations' }).click();
    const protocol = page.getByLabel('Protocol', { exact: true });
    const proxyProtocol = page.getByLabel('Proxy Protocol', { exact: true });
    await protocol.selectOption('http');
    await expect.poll(() => proxyProtocol.count()).toBe(0);
    await protocol.selectOption('tcp');
    await proxyProtocol.waitFor();
    expect(await proxyProtocol.locator('option').allTextContents()).toEqual(['None', 'v1', 'v2']);
    await proxyProtocol.selectOption('v2');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('NodeBalancer Configuration updated successfully').waitFor();

    const after = await connectAndSend();
    const header = await after.accepted.readProxyHeader();
    const { localPort, localAddress } = after.client.socket;
    expect(header).toMatchObject({
      version: 2,
      sourceAddress: localAddress,
      sourcePort: localPort,
      destinationAddress: '127.0.0.1',
      destinationPort: port,
    });
    expect((await after.accepted.recv(5)).toString()).toBe('hello');
    // The connection from before the change goes on as it was.
    await before.client.send('again');
    expect((await before.accepted.recv(5)).toString()).toBe('again');
    before.client.destroy();
    after.client.destroy();
    expect(visitor.complaints).toEqual([]);
    await visitor.context.close();
  });

  test('the header that the page shows is the header that the node receives', async () => {
    const visitor = await visit(browser, balancer);
    const { page } = visitor;
    await logIn(visitor, balancer);
    await page.getByRole('link', { name: String(port), exact: true }).click();
    await page.getByLabel('Proxy Protocol', { exact: true }).selectOption('v1');
    await expect
      .poll(() => page.getByLabel('What nodes receive').locator('pre').first().textContent())
      .toContain(`PROXY TCP4 203.0.113.7 127.0.0.1 51234 ${port}`);
    await visitor.context.close();
  });

  test('where a node has a version of its own, the page shows what each receives', async () => {
    const visitor = await visit(browser, balancer);
    const { page } = visitor;
    await logIn(visitor, balancer);
    await page.getByRole('link', { name: String(port), exact: true }).click();
    await page.getByLabel('Proxy Protocol', { exact: true }).selectOption('none');
    const preview = page.getByLabel('What nodes receive');
    await expect.poll(() => preview.count()).toBe(0);
    await page.getByText('Limits and header of this node').click();
    await page.getByLabel('Proxy Protocol of this node').selectOption('v1');
    // All nodes get the same, and none of them the config's.
    await preview.getByText(`PROXY TCP4 203.0.113.7 127.0.0.1 51234 ${port}`).waitFor();
    expect(await preview.getByRole('heading', { level: 4 }).count()).toBe(0);
    await page.getByRole('button', { name: 'Add a Node' }).click();
    await page.getByLabel('Proxy Protocol', { exact: true }).selectOption('v2');
    await expect
      .poll(() => preview.getByRole('heading', { level: 4 }).allTextContents())
      .toEqual(['v2, as the config: node 2', 'v1, of its own: web-1']);
    await preview.getByText('signature').waitFor();
    await preview.getByText('PROXY TCP4').waitFor();
    await visitor.context.close();
  });
});
