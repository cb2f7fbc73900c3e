// Many of everything: lists come a page at a time, what is looked for is found, and an error far down the list shows. How soon all
// that is there: tests/clock/manager/large.test.ts.

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { available, launchBrowser, logIn, missing, type Visit, visit } from '../../../testing/browser.ts';
import { Home, type StoredBalancer } from '../../../testing/stored-balancer.ts';
import { makeLarge, NODEBALANCERS, NODES, showMany } from './many.ts';

describe.skipIf(!available())(`the page${available() ? '' : ` (skipped: ${missing})`}`, () => {
  let browser: Browser;
  let balancer: StoredBalancer;
  const home = new Home();

  beforeAll(async () => {
    browser = await launchBrowser();
    balancer = await home.start();
    await makeLarge(balancer);
  });
  afterAll(async () => {
    await browser.close();
    await balancer.stop();
    home.remove();
  });

  async function enter(): Promise<Visit> {
    const visitor = await visit(browser, balancer);
    await logIn(visitor, balancer);
    return visitor;
  }

  test(`${NODEBALANCERS} NodeBalancers: one request, pages, sorted as numbers, found by port`, async () => {
    const visitor = await enter();
    const { page } = visitor;
    await showMany(visitor, balancer);
    const shown = page.getByRole('link', { name: 'nb-2', exact: true });
    await page.goto('/nodebalancers');
    await shown.waitFor();
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).pathname));
    await page.reload();
    await shown.waitFor();
    expect(asked.filter((path) => /nodebalancers\b/.test(path) && path !== '/nodebalancers')).toEqual([
      '/balancer/v1/nodebalancers',
    ]);
    const rows = page.getByRole('table').getByRole('rowheader');
    expect(await rows.count()).toBe(25);
    const footer = page.getByRole('navigation', { name: 'Pages of NodeBalancers' });
    await footer.getByRole('button', { name: 'Next' }).click();
    await footer.getByText('26 – 50 of 500 NodeBalancers').waitFor();
    expect(await rows.first().textContent()).toBe('nb-26');
    await footer.getByLabel('Show').selectOption('100');
    await page.getByRole('button', { name: 'Label' }).click();
    await footer.getByText('1 – 100 of 500 NodeBalancers').waitFor();
    expect(await rows.first().textContent()).toBe('nb-500');
    await page.getByLabel('Search').fill('20041');
    await expect.poll(() => rows.allTextContents()).toEqual(['nb-42']);
    await page.getByLabel('Search').fill('nothing');
    await page.getByText('Nothing found').waitFor();
    await visitor.context.close();
  });

  test(`${NODES} nodes: edited where they are found; an error on the 40th page turns to it`, async () => {
    const visitor = await enter();
    const { page } = visitor;
    await page.goto('/nodebalancers/1/configurations');
    await page.getByText('1 – 25 of 1000 nodes').waitFor();
    await page.getByLabel('Search nodes').fill('node-990');
    await page.getByLabel('Weight').fill('999');
    await page.getByLabel('Search nodes').fill('');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('Weight must be between 1 and 255.').waitFor();
    await page.getByText('976 – 1000 of 1000 nodes').waitFor();
    await expect.poll(() => page.locator(':focus').inputValue()).toBe('999');
    await page.locator(':focus').fill('9');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('NodeBalancer Configuration updated successfully').waitFor();
    const changes = (await balancer.ask('GET', '/balancer/v1/history?limit=1')).data as { changes: string[] }[];
    expect(changes[0]?.changes).toHaveLength(1);
    expect(visitor.complaints).toEqual([]);
    await visitor.context.close();
  });

  test('the summary and the history of a thousand nodes stay short', async () => {
    const visitor = await enter();
    const { page } = visitor;
    await page.goto('/nodebalancers/1/summary');
    await page.getByText('1 – 25 of 1000 nodes').waitFor();
    await page.goto('/history');
    await page.getByRole('button', { name: 'Show all 1000 lines' }).waitFor();
    await visitor.context.close();
  });

  test('the page is under 100 KB, compressed', async () => {
    const visitor = await visit(browser, balancer);
    const { context, page } = visitor;
    const sizes: number[] = [];
    page.on('requestfinished', async (request) => {
      if (/^\/(assets\/|$)/.test(new URL(request.url()).pathname)) sizes.push((await request.sizes()).responseBodySize);
    });
    await logIn(visitor, balancer);
    // The summary, because it has graphs: what draws them is loaded with the first.
    await page.getByRole('link', { name: 'large', exact: true }).click();
    await page.locator('canvas').first().waitFor();
    await expect.poll(() => sizes.length).toBeGreaterThanOrEqual(4);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(100_000);
    await context.close();
  });
});
