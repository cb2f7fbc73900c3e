// How soon the page shows many of everything, from the navigation to the data, on loopback. What it shows of
// them: tests/system/manager/large.test.ts.

import type { Browser, Locator } from 'playwright-core';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { processTree } from '../../../bench/meters.ts';
import { available, launchBrowser, logIn, missing, type Visit, visit } from '../../../testing/browser.ts';
import { Home, type StoredBalancer } from '../../../testing/stored-balancer.ts';
import { measureTheirs, takesAtMost } from '../../../testing/yardstick.ts';
import { makeLarge, NODEBALANCERS, NODES, showMany } from '../../system/manager/many.ts';

/** The promise is 300, of a machine that does nothing else and has more than two cores. */
const SHOWN_MS_MAX = 1500;

describe.skipIf(!available())(`the page${available() ? '' : ` (skipped: ${missing})`}`, () => {
  let browser: Browser;
  let balancer: StoredBalancer;
  let visitor: Visit;
  const home = new Home();

  beforeAll(async () => {
    browser = await launchBrowser();
    balancer = await home.start();
    await makeLarge(balancer);
    visitor = await visit(browser, balancer);
    await logIn(visitor, balancer);
  });
  afterAll(async () => {
    await browser.close();
    await balancer.stop();
    home.remove();
  });

  function isShownInTime(path: string, shown: Locator): Promise<void> {
    const { page } = visitor;
    return takesAtMost(SHOWN_MS_MAX, () =>
      measureTheirs(processTree(process.pid), async () => {
        await page.goto(path);
        await shown.waitFor();
        return Number(await page.evaluate('performance.now()'));
      }),
    );
  }

  test(`a NodeBalancer of ${NODES} nodes, to be edited`, () =>
    isShownInTime('/nodebalancers/1/configurations', visitor.page.getByText(`1 – 25 of ${NODES} nodes`)));

  test(`its summary`, () =>
    isShownInTime('/nodebalancers/1/summary', visitor.page.getByText(`1 – 25 of ${NODES} nodes`)));

  test(`a list of ${NODEBALANCERS} NodeBalancers`, async () => {
    await showMany(visitor, balancer);
    await isShownInTime('/nodebalancers', visitor.page.getByRole('link', { name: 'nb-2', exact: true }));
  });
});
