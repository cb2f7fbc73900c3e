// Who may only look: a configuration that comes from a file is shown and nothing offers to change it, though sessions may be ended; with
// a read_only token, not even that.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
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
  let lookerToken = '';
  const home = new Home();
  const file = join(home.directory, 'balancer.json');

  beforeAll(async () => {
    browser = await launchBrowser();
    node = await PeerListener.listen('127.0.0.1', await freePort());
    port = await freePort();
    const nodes = [{ label: 'web-1', address: `127.0.0.1:${node.port}` }];
    writeFileSync(
      file,
      JSON.stringify({
        nodebalancers: [{ label: 'from-file', ipv4: '127.0.0.1', configs: [{ port, proxy_protocol: 'v1', nodes }] }],
      }),
    );
    // The first start makes the token.
    const first = await home.start();
    const { token } = await first.ask('POST', '/balancer/v1/tokens', { label: 'looker', scope: 'read_only' });
    lookerToken = String(token);
    await first.stop();
    balancer = await home.start({ args: ['-f', file] });
  });
  afterAll(async () => {
    await browser.close();
    await balancer.stop();
    await node.close();
    home.remove();
  });

  const PATHS = ['', '/1/summary', '/1/configurations', '/1/settings', '/create'].map(
    (path) => `/nodebalancers${path}`,
  );
  const CHANGING = /^(Save|Delete|Drain|Accept again|Create|Add|Edit|Roll back|Remove|End)\b/;

  async function offers(page: Page): Promise<(string | null)[]> {
    const buttons = await page.getByRole('button', { name: CHANGING }).all();
    const enabled = await Promise.all(buttons.map(async (button) => ((await button.isEnabled()) ? [button] : [])));
    return Promise.all(enabled.flat().map((button) => button.textContent()));
  }

  test('a configuration from a file is shown, not changed, and every page says why', async () => {
    const visitor = await visit(browser, balancer);
    await logIn(visitor, balancer);
    const { page } = visitor;
    for (const path of [...PATHS, '/sessions', '/history', '/events']) {
      await page.goto(path);
      await page.getByText(`The configuration comes from ${file}`).waitFor();
      await page.getByRole('heading', { level: 1 }).waitFor();
      if (path.includes('/1/')) await page.getByText('from-file').first().waitFor();
      if (path.endsWith('/configurations')) await page.getByLabel('Weight').waitFor();
      expect(await offers(page), path).toEqual([]);
    }
    await page.goto('/nodebalancers/1/configurations');
    await page.getByLabel('Weight').waitFor();
    expect(await page.getByLabel('Weight').isDisabled()).toBe(true);
    // What only shows something stays usable.
    await page.getByLabel('Example client').selectOption('ipv6');
    expect(visitor.complaints).toEqual([]);
    await visitor.context.close();
  });

  test('a session is ended all the same; not with a read_only token', async () => {
    const client = await Peer.connect({ host: '127.0.0.1', port });
    const atNode = await node.accept();
    const end = { name: `End the session of 127.0.0.1:${client.socket.localPort}` };
    const looker = await visit(browser, balancer);
    await looker.page.goto('/sessions');
    await looker.page.getByLabel('Token').fill(lookerToken);
    await looker.page.getByRole('button', { name: 'Log in' }).click();
    await looker.page.getByText('relaying').waitFor();
    expect(await looker.page.getByRole('button', end).count()).toBe(0);
    await looker.context.close();

    const visitor = await visit(browser, balancer);
    await logIn(visitor, balancer);
    await visitor.page.goto('/sessions');
    await visitor.page.getByRole('button', end).click();
    await visitor.page.getByRole('dialog').getByRole('button', { name: 'End' }).click();
    await client.recvEnd();
    client.destroy();
    atNode.destroy();
    await visitor.page.getByText('No sessions').waitFor();
    await visitor.context.close();
  });
});
