// What an operator does with a running balancer at the page: drains a node and sees its sessions end, ends sessions by filter, goes
// everywhere without a mouse, and goes on after the login has ended.

import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { available, launchBrowser, logIn, missing, type Visit, visit } from '../../../testing/browser.ts';
import { Peer } from '../../../testing/peer.ts';
import { freePort } from '../../../testing/ports.ts';
import { Home, type StoredBalancer } from '../../../testing/stored-balancer.ts';

const TABS_MAX = 60;

/** A node that says nothing, and closes when its client does. */
async function listen(host: string, port: number): Promise<Server> {
  const server = createServer((socket) => socket.on('error', () => socket.destroy()).resume());
  server.listen(port, host);
  await once(server, 'listening');
  return server;
}

describe.skipIf(!available())(`the page${available() ? '' : ` (skipped: ${missing})`}`, () => {
  let browser: Browser;
  let balancer: StoredBalancer;
  let nodes: Server[];
  let nodePort = 0;
  let port = 0;
  const home = new Home();

  beforeAll(async () => {
    browser = await launchBrowser();
    // Each worker has turns of its own: with one, each node gets exactly half.
    balancer = await home.start({ env: { BALANCER_WORKERS: '1' } });
    nodePort = await freePort();
    nodes = await Promise.all(['127.0.0.1', '127.0.0.2'].map((ip) => listen(ip, nodePort)));
    port = await freePort();
    await balancer.create('web', { port }, [
      { label: 'web-1', address: `127.0.0.1:${nodePort}` },
      { label: 'web-2', address: `127.0.0.2:${nodePort}` },
    ]);
  });
  afterAll(async () => {
    await browser.close();
    await balancer.stop();
    for (const node of nodes) node.close();
    home.remove();
  });

  async function enter(): Promise<Visit> {
    const visitor = await visit(browser, balancer);
    await logIn(visitor, balancer);
    return visitor;
  }

  /** By turns, so that each node has half of them. */
  async function connect(count: number): Promise<Peer[]> {
    const clients: Peer[] = [];
    for (let i = 0; i < count; i++) clients.push(await Peer.connect({ host: '127.0.0.1', port }));
    return clients;
  }

  async function modeOf(label: string): Promise<unknown> {
    const { data } = await balancer.ask('GET', '/v4/nodebalancers/1/configs/2/nodes');
    return (data as { label: string; mode: string }[]).find((node) => node.label === label)?.mode;
  }

  test.each(['summary', 'configurations'])('a node is drained on %s: its sessions are counted down', async (tab) => {
    const visitor = await enter();
    const { page } = visitor;
    const clients = await connect(6);
    await page.goto(`/nodebalancers/1/${tab}`);
    await page.getByRole('button', { name: 'Drain web-1' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Its 3 sessions may end by themselves').waitFor();
    await dialog.getByRole('button', { name: 'Drain' }).click();
    await page.getByRole('link', { name: '3 sessions left' }).waitFor();
    expect(await modeOf('web-1')).toBe('drain');
    // web-2 alone gets what comes now.
    const late = await connect(2);
    await page.goto(`/nodebalancers/1/${tab}`);
    await page.getByRole('link', { name: '3 sessions left' }).waitFor();
    for (const client of [...clients, ...late]) client.destroy();
    await page.getByText('Drained: no sessions left').waitFor();
    await page.getByRole('button', { name: 'Accept again: web-1' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Accept again' }).click();
    await page.getByRole('button', { name: 'Drain web-1' }).waitFor();
    expect(await modeOf('web-1')).toBe('accept');
    expect(visitor.complaints).toEqual([]);
    await visitor.context.close();
  });

  test('draining the last node warns, and a form with changes is saved or undone first', async () => {
    const visitor = await enter();
    const { page } = visitor;
    await balancer.ask('PUT', '/v4/nodebalancers/1/configs/2/nodes/4', { mode: 'reject' });
    await page.goto('/nodebalancers/1/configurations');
    const drain = page.getByRole('button', { name: 'Drain web-1' });
    await drain.click();
    await page.getByText('No other node takes connections').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    await page.getByLabel('Weight').first().fill('7');
    await expect.poll(() => drain.isDisabled()).toBe(true);
    await page.getByRole('button', { name: 'Undo Changes' }).click();
    await expect.poll(() => drain.isDisabled()).toBe(false);
    await balancer.ask('PUT', '/v4/nodebalancers/1/configs/2/nodes/4', { mode: 'accept' });
    await visitor.context.close();
  });

  test('the sessions of one node are found and ended, those of others go on', async () => {
    const visitor = await enter();
    const { page } = visitor;
    const clients = await connect(4);
    await page.goto('/sessions');
    await page.getByText('4 sessions').waitFor();
    await page.getByLabel('Client address').fill('nobody');
    await page.getByText('Must be an IP address').waitFor();
    await page.getByLabel('Client address').fill('');
    await page.getByLabel('Node address').fill(`127.0.0.1:${nodePort}`);
    await page.getByRole('button', { name: 'End all 2' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'End' }).click();
    await page.getByText('No connection fits the filter.').waitFor();
    await page.getByLabel('Node address').fill(`127.0.0.2:${nodePort}`);
    await page.getByText('2 sessions', { exact: true }).waitFor();
    for (const client of clients) client.destroy();
    await page.getByText('No connection fits the filter.').waitFor();
    await visitor.context.close();
  });

  /** Tab until it has the focus, as somebody without a mouse does. */
  async function tabTo(page: Page, role: string, name: string): Promise<void> {
    for (let i = 0; i < TABS_MAX; i++) {
      await page.keyboard.press('Tab');
      const focused = page.locator(':focus');
      if (
        (await focused.count()) === 1 &&
        (await focused.and(page.getByRole(role as 'link', { name })).count()) === 1
      ) {
        return;
      }
    }
    throw new Error(`${role} ${name} cannot be reached by Tab`);
  }

  test('everything goes by keyboard: from the menu to a saved Proxy Protocol', async () => {
    const visitor = await enter();
    const { page } = visitor;
    await page.getByRole('link', { name: 'web', exact: true }).waitFor();
    expect(await page.title()).toBe('NodeBalancers – balancer');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    // The link to skip the menu is the first.
    await tabTo(page, 'link', 'web');
    await page.keyboard.press('Enter');
    const heading = page.getByRole('heading', { level: 1 });
    await expect.poll(() => page.locator(':focus').and(heading).count()).toBe(1);
    await expect.poll(() => page.title()).toBe('web Summary – balancer');
    await tabTo(page, 'link', 'Configurations');
    await page.keyboard.press('Enter');
    await page.getByLabel('Proxy Protocol', { exact: true }).waitFor();
    await tabTo(page, 'combobox', 'Proxy Protocol');
    await page.keyboard.press('ArrowDown');
    await page.getByLabel('What nodes receive').waitFor();
    await tabTo(page, 'button', 'Save');
    const outline = await page.evaluate('getComputedStyle(document.activeElement).outlineStyle');
    expect(outline).toBe('solid');
    await page.keyboard.press('Enter');
    await page.getByText('NodeBalancer Configuration updated successfully').waitFor();
    await balancer.ask('PUT', '/v4/nodebalancers/1/configs/2', { proxy_protocol: 'none' });
    await visitor.context.close();
  });

  describe('after a dialog, the keyboard goes on', () => {
    let visitor: Visit;
    let page: Page;
    beforeEach(async () => {
      visitor = await enter();
      page = visitor.page;
    });
    afterEach(async () => {
      expect(visitor.complaints).toEqual([]);
      await visitor.context.close();
    });

    const hasFocus = (role: 'button' | 'heading', name: string) =>
      expect
        .poll(() =>
          page
            .locator(':focus')
            .and(page.getByRole(role, { name, exact: true }))
            .count(),
        )
        .toBe(1);
    async function confirm(opener: string, typed?: string): Promise<void> {
      await page.getByRole('button', { name: opener }).focus();
      await page.keyboard.press('Enter');
      const dialog = page.getByRole('dialog');
      await dialog.waitFor();
      if (typed !== undefined) await dialog.getByRole('textbox').fill(typed);
      await dialog.locator('[type=submit]').focus();
      await page.keyboard.press('Enter');
      await dialog.waitFor({ state: 'detached' });
    }

    test('where it was opened, when it was left by Escape', async () => {
      await page.getByRole('button', { name: 'Delete web' }).focus();
      await page.keyboard.press('Enter');
      await page.getByRole('dialog').waitFor();
      await page.keyboard.press('Escape');
      await hasFocus('button', 'Delete web');
    });

    test('at the heading, when the row is gone with what was deleted', async () => {
      await balancer.create('doomed', { port: await freePort() }, []);
      await page.goto('/nodebalancers');
      await confirm('Delete doomed', 'doomed');
      await page.getByRole('link', { name: 'doomed', exact: true }).waitFor({ state: 'detached' });
      await hasFocus('heading', 'NodeBalancers');
    });

    test.each(['summary', 'configurations'])('at the way back, when a node was drained on %s', async (tab) => {
      await page.goto(`/nodebalancers/1/${tab}`);
      await confirm('Drain web-1');
      await hasFocus('button', 'Accept again: web-1');
      await confirm('Accept again: web-1');
      await hasFocus('button', 'Drain web-1');
    });

    test('at the heading, when the configuration is gone, and when the whole NodeBalancer is', async () => {
      const { path } = await balancer.create('doomed', { port: await freePort() }, []);
      const [, id] = /(\d+)$/.exec(path) ?? [];
      await page.goto(`/nodebalancers/${id}/configurations`);
      await confirm('Delete');
      await page.getByText('No configurations yet').waitFor();
      await hasFocus('heading', 'NodeBalancers / doomed');
      await page.getByRole('link', { name: 'Settings' }).click();
      await confirm('Delete', 'doomed');
      await hasFocus('heading', 'NodeBalancers');
    });

    test('where it was, when somebody has logged in again', async () => {
      await page.goto('/nodebalancers/1/configurations');
      const weight = page.getByLabel('Weight').first();
      await weight.focus();
      await visitor.context.clearCookies();
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('Token').fill(balancer.token);
      await page.keyboard.press('Enter');
      await dialog.waitFor({ state: 'detached' });
      await expect.poll(() => page.locator(':focus').and(weight).count()).toBe(1);
    });

    test('at the heading, when a label was changed', async () => {
      await page.goto('/nodebalancers/1/summary');
      await page.getByRole('button', { name: 'Edit Label' }).click();
      await page.getByLabel('Label', { exact: true }).fill('shop');
      await page.keyboard.press('Enter');
      await hasFocus('heading', 'NodeBalancers / shop');
      await balancer.ask('PUT', '/v4/nodebalancers/1', { label: 'web' });
    });
  });

  test('a wrong field on a save has the focus and says why', async () => {
    const visitor = await enter();
    const { page } = visitor;
    await page.goto('/nodebalancers/1/configurations');
    await page.getByLabel('Weight').nth(1).fill('0');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('Weight must be between 1 and 255.').waitFor();
    const id = await page.getByLabel('Weight').nth(1).getAttribute('id');
    await expect.poll(() => page.locator(':focus').getAttribute('id')).toBe(id);
    await visitor.context.close();
  });

  test('two nodes may have one label, and the form says what tells them apart', async () => {
    const visitor = await enter();
    const { page } = visitor;
    await page.goto('/nodebalancers/1/configurations');
    const labels = page.getByLabel('Label', { exact: true });
    const first = await labels.nth(0).inputValue();
    const warning = page.getByText(`Several nodes have the label “${first}”: only their addresses tell them apart.`);
    expect(await warning.count()).toBe(0);
    await labels.nth(1).fill(first);
    await warning.waitFor();
    await labels.nth(1).fill(`${first}-2`);
    await expect.poll(() => warning.count()).toBe(0);
    await visitor.context.close();
  });

  test('another protocol says what it changed besides', async () => {
    const visitor = await enter();
    const { page } = visitor;
    await page.goto('/nodebalancers/1/configurations');
    await page.getByLabel('Type').selectOption('connection');
    await page.getByLabel('Proxy Protocol', { exact: true }).selectOption('v1');
    await page.getByLabel('Protocol', { exact: true }).selectOption('http');
    await page.getByText('Proxy Protocol was v1 and is None now').waitFor();
    await page.getByText('The active health check is HTTP Status now').waitFor();
    await visitor.context.close();
  });

  test('the label is changed beside the heading', async () => {
    const visitor = await enter();
    const { page } = visitor;
    await page.goto('/nodebalancers/1/summary');
    await page.getByRole('button', { name: 'Edit Label' }).click();
    await page.getByLabel('Label', { exact: true }).fill('a b');
    await page.keyboard.press('Enter');
    await page.getByText(/special characters or spaces/).waitFor();
    await page.getByLabel('Label', { exact: true }).fill('shop');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'NodeBalancers / shop' }).waitFor();
    await balancer.ask('PUT', '/v4/nodebalancers/1', { label: 'web' });
    await visitor.context.close();
  });

  test('a node shows its graphs, and what happens to the NodeBalancer stands below', async () => {
    const visitor = await enter();
    const { page } = visitor;
    await page.goto('/nodebalancers/1/summary');
    await page.getByRole('button', { name: 'Graphs of web-1' }).click();
    await page.getByRole('heading', { name: 'Connections (CXN/s, live)' }).waitFor();
    await page.getByText('none yet').waitFor();
    await balancer.ask('PUT', '/v4/nodebalancers/1', { client_conn_throttle: 3 });
    await page.getByText(/^revision \d+ by test: web: client_conn_throttle 0 -> 3$/).waitFor();
    expect(visitor.complaints).toEqual([]);
    await visitor.context.close();
  });

  test('a login that has ended loses nothing that was typed', async () => {
    const visitor = await enter();
    const { page, context } = visitor;
    await page.goto('/nodebalancers/1/configurations');
    await page.getByLabel('Weight').first().fill('77');
    await context.clearCookies();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Your login has ended').waitFor();
    await dialog.getByLabel('Token').fill(balancer.token);
    await dialog.getByRole('button', { name: 'Log in' }).click();
    await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
    expect(await page.getByLabel('Weight').first().inputValue()).toBe('77');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('NodeBalancer Configuration updated successfully').waitFor();
    await context.close();
  });
});
