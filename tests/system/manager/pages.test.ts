// Every page as people come to it: usable by keyboard and screen reader in both themes and at both widths, honest when something is
// wrong, and never taken in by a name.

import axe, { type AxeResults } from 'axe-core';
import type { Browser, Locator, Page, Route } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { AnswerOrder } from '../../../testing/answer-order.ts';
import {
  available,
  launchBrowser,
  logIn,
  missing,
  OTHER_MACHINE,
  type Theme,
  type Visit,
  visit,
} from '../../../testing/browser.ts';
import { DEADLINE_MS } from '../../../testing/deadline.ts';
import { Peer, PeerListener } from '../../../testing/peer.ts';
import { freePort } from '../../../testing/ports.ts';
import { Home, type StoredBalancer } from '../../../testing/stored-balancer.ts';
import { bySize } from '../../../testing/suite/size.ts';

const HOSTILE = '<img src=x onerror=alert(1)>';

describe.skipIf(!available())(`the page${available() ? '' : ` (skipped: ${missing})`}`, () => {
  let browser: Browser;
  let balancer: StoredBalancer;
  let node: PeerListener;
  let port = 0;
  let paths: { path: string; config: string };
  const home = new Home();

  beforeAll(async () => {
    browser = await launchBrowser();
    balancer = await home.start();
    node = await PeerListener.listen('127.0.0.1', await freePort());
    port = await freePort();
    paths = await balancer.create('web', { port, proxy_protocol: 'v2' }, [
      { label: 'web-1', address: `127.0.0.1:${node.port}` },
      { label: 'web-2', address: `127.0.0.2:${node.port}`, mode: 'drain' },
    ]);
  });
  afterAll(async () => {
    await browser.close();
    await balancer.stop();
    await node.close();
    home.remove();
  });

  async function enter(options: Parameters<typeof visit>[2] = {}): Promise<Visit> {
    const visitor = await visit(browser, balancer, options);
    await logIn(visitor, balancer);
    return visitor;
  }

  const PAGES = {
    landing: async (page: Page) => {
      await page.goto('/nodebalancers');
      await page.getByRole('link', { name: 'web', exact: true }).waitFor();
    },
    create: async (page: Page) => {
      await page.goto('/nodebalancers/create');
      await page.getByRole('button', { name: 'Create NodeBalancer' }).waitFor();
    },
    summary: async (page: Page) => {
      await page.goto('/nodebalancers/1/summary');
      await page.getByRole('heading', { name: 'NodeBalancer Details' }).waitFor();
      await page.getByRole('rowheader', { name: /^web-1 / }).waitFor();
    },
    configurations: async (page: Page) => {
      await page.goto('/nodebalancers/1/configurations');
      await page.getByText('signature').waitFor();
    },
    settings: async (page: Page) => {
      await page.goto('/nodebalancers/1/settings');
      await page.getByRole('heading', { name: 'Delete NodeBalancer' }).waitFor();
    },
    sessions: async (page: Page) => {
      await page.goto('/sessions');
      await page.getByText('No sessions').waitFor();
    },
    events: async (page: Page) => {
      await page.goto('/events');
      await page.getByRole('heading', { name: 'Events' }).waitFor();
    },
    history: async (page: Page) => {
      await page.goto('/history');
      await page.getByText('Revision 1', { exact: true }).waitFor();
    },
  } as const;

  /** What a browser counts as good; 0 is not to be had where a label is as long as it likes. */
  const LAYOUT_SHIFT_MAX = 0.05;

  describe.each(bySize({ quick: [1280], thorough: [1280, 390] }))(
    'nothing jumps while pages load, %i wide',
    (width) => {
      let visitor: Visit;
      let order: AnswerOrder;

      beforeEach(async () => {
        visitor = await enter({ width });
        await visitor.page.addInitScript(`
        globalThis.shift = 0;
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries()) globalThis.shift += entry.value;
        }).observe({ type: 'layout-shift', buffered: true });
      `);
        order = new AnswerOrder(visitor.page);
        await order.start();
      });
      afterEach(() => visitor.context.close());

      /** How far the page has jumped once all of it is there, as browsers count it. */
      async function shiftOf(name: keyof typeof PAGES): Promise<number> {
        await PAGES[name](visitor.page);
        await order.drawn();
        return Number(await visitor.page.evaluate('shift'));
      }

      test.each(['oldest', 'newest'] as const)('the %s answer first', async (first) => {
        order.first = first;
        for (const name of Object.keys(PAGES) as (keyof typeof PAGES)[]) {
          expect(await shiftOf(name), name).toBeLessThan(LAYOUT_SHIFT_MAX);
        }
      });

      test.each([
        ['not there yet', 'Stats are unavailable at this time.', 'Stats for this NodeBalancer are not available yet'],
        ['refused', 'Out of order.', 'Out of order.'],
      ])('statistics that are %s', async (_name, reason, shown) => {
        const { page } = visitor;
        await page.route('**/statistics?*', (route) => route.fulfill({ status: 400, json: { errors: [{ reason }] } }));
        const shift = await shiftOf('summary');
        await page.getByText(shown).waitFor();
        expect(shift).toBeLessThan(LAYOUT_SHIFT_MAX);
      });
    },
  );

  const ONE = '/v4/nodebalancers/1';
  const FORM = [`${ONE}/configs/2`, `${ONE}/configs/2/nodes`, '/balancer/v1/history'];
  const STATE = '/balancer/v1/state';
  test.each([
    { path: '/nodebalancers', shown: 'web', wanted: ['/balancer/v1/nodebalancers'] },
    {
      path: '/nodebalancers/1/summary',
      shown: 'web-1',
      wanted: [ONE, `${ONE}/configs`, '/balancer/v1/nodebalancers/1/statistics', STATE],
    },
    { path: '/nodebalancers/1/configurations/2', shown: 'web-1', wanted: [ONE, `${ONE}/configs`, ...FORM] },
    // Which one is open says the list of them: that is all it waits for.
    {
      path: '/nodebalancers/1/configurations',
      answered: `${ONE}/configs`,
      shown: 'web-1',
      wanted: [ONE, `${ONE}/configs`, ...FORM],
    },
  ])(
    '$path asks for all that it shows before anybody has answered, once',
    async ({ path, answered, shown, wanted }) => {
      const visitor = await enter();
      const { page } = visitor;
      const asked: string[] = [];
      let held: Route[] | undefined = [];
      await page.route(/\/(v4|balancer)\//, (route) => {
        const { pathname } = new URL(route.request().url());
        asked.push(pathname);
        if (held === undefined || pathname === answered) return route.continue();
        held.push(route);
      });
      await page.goto(path);
      await expect.poll(() => asked.toSorted()).toEqual(['/balancer/v1/login', ...wanted].sort());
      const routes = held;
      held = undefined;
      for (const route of routes) await route.continue();
      await page.getByText(shown).first().waitFor();
      // The state is asked for again and again.
      const once = wanted.filter((one) => one !== STATE).sort();
      expect(asked.filter((one) => once.includes(one)).sort()).toEqual(once);
      await visitor.context.close();
    },
  );

  test('the list is there without anything of Intl: the first of it takes some 40 ms in a new tab', async () => {
    const visitor = await enter();
    const { page } = visitor;
    await page.addInitScript(`
      globalThis.made = [];
      for (const name of ['Collator', 'DateTimeFormat', 'NumberFormat']) {
        const construct = (target, args) => made.push(name) && Reflect.construct(target, args);
        Intl[name] = new Proxy(Intl[name], { construct });
      }
    `);
    await PAGES.landing(page);
    expect(await page.evaluate('made')).toEqual([]);
    await PAGES.history(page);
    expect(await page.evaluate('made')).toEqual(['DateTimeFormat']);
    await visitor.context.close();
  });

  test('what can be done with a row is in sight, however long the label and however narrow the window', async () => {
    const client = await Peer.connect({ host: '127.0.0.1', port });
    const atNode = await node.accept();
    const long = await balancer.create('a-label-of-thirty-two-characters', { port: await freePort() }, []);
    for (const width of [1280, 390]) {
      const visitor = await enter({ width });
      const { page } = visitor;
      await page.getByRole('link', { name: 'a-label-of-thirty-two-characters', exact: true }).waitFor();
      const inSight = async (button: Locator) => {
        const box = await button.boundingBox();
        return box !== null && box.x >= 0 && box.x + box.width <= width;
      };
      expect(await inSight(page.getByRole('button', { name: 'Delete a-label-of-thirty-two-characters' }))).toBe(true);
      await page.goto('/sessions');
      const end = page.getByRole('button', { name: /^End the session of/ });
      await end.waitFor();
      expect(await inSight(end)).toBe(true);
      await visitor.context.close();
    }
    await balancer.ask('DELETE', long.path);
    client.destroy();
    await atNode.recvEnd();
    atNode.destroy();
  });

  test.each(['127.0.0.1', OTHER_MACHINE])('what is copied is in the clipboard, over plain HTTP to %s', async (host) => {
    const visitor = await visit(browser, balancer);
    const { page, context } = visitor;
    const { path } = await balancer.ask('POST', '/balancer/v1/login/codes');
    const origin = balancer.url.replace('127.0.0.1', host);
    // This machine counts as secure without HTTPS, others do not.
    if (host === '127.0.0.1') await context.grantPermissions(['clipboard-write'], { origin });
    await page.goto(`${origin}${path}`);
    const link = page.getByRole('link', { name: 'web', exact: true });
    await link.waitFor();
    expect(await page.evaluate("'clipboard' in navigator")).toBe(host === '127.0.0.1');
    await link.click();
    const copy = page.getByRole('button', { name: 'Copy 127.0.0.1' });
    await copy.focus();
    await page.keyboard.press('Enter');
    await copy.getByText('Copied').waitFor();
    expect(await page.locator(':focus').and(copy).count()).toBe(1);
    await page.getByLabel('New tag').focus();
    await page.keyboard.press('Control+V');
    expect(await page.getByLabel('New tag').inputValue()).toBe('127.0.0.1');
    await context.close();
  });

  test('the theme that somebody chose is that of the login page, too', async () => {
    const visitor = await enter({ theme: 'light' });
    const { page } = visitor;
    const ground = () => page.evaluate('getComputedStyle(document.body).backgroundColor');
    const light = await ground();
    await page.getByLabel('Theme').selectOption('dark');
    await expect.poll(ground).not.toBe(light);
    const dark = await ground();
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.reload();
    await page.getByRole('heading', { name: 'Log in to balancer' }).waitFor();
    expect(await ground()).toBe(dark);
    await visitor.context.close();
  });

  test('a bad value in a field that has gone is said below the form', async () => {
    const visitor = await enter();
    const { page } = visitor;
    await PAGES.configurations(page);
    await page.getByLabel('Type').selectOption('connection');
    await page.getByLabel('Interval').fill('9999');
    await page.getByLabel('Type').selectOption('none');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('check_interval: Interval should be less than or equal to 3600.').waitFor();
    await visitor.context.close();
  });

  test('Back asks before it throws away what was typed', async () => {
    const visitor = await enter();
    const { page } = visitor;
    await page.getByRole('link', { name: 'web', exact: true }).click();
    await page.getByRole('link', { name: 'Configurations' }).click();
    await page.getByLabel('Algorithm').selectOption('leastconn');
    const asked = page.waitForEvent('dialog');
    // Not page.goBack(), which waits for a navigation that does not come.
    await page.evaluate('history.back()');
    const dialog = await asked;
    expect(dialog.message()).toBe('Leave this page without saving what you changed?');
    await dialog.dismiss();
    expect(await page.getByLabel('Algorithm').inputValue()).toBe('leastconn');
    await visitor.context.close();
  });

  test.each(looks())('$name, $theme, $width wide: axe finds nothing serious, nothing overflows', async (look) => {
    const visitor = await enter({ theme: look.theme, width: look.width });
    const { page } = visitor;
    await PAGES[look.name](page);
    expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
    expect(await seriousViolations(page)).toEqual([]);
    expect(visitor.complaints).toEqual([]);
    await visitor.context.close();
  });

  /** Every page in each theme at each width; for a quick look, every page once, and each theme and width often. */
  function looks(): { name: keyof typeof PAGES; theme: Theme; width: number }[] {
    const names = Object.keys(PAGES) as (keyof typeof PAGES)[];
    const themes = ['light', 'dark'] as const;
    return bySize({
      quick: names.map((name, i) => ({ name, theme: themes[i % 2] ?? 'light', width: i % 4 < 2 ? 1280 : 390 })),
      thorough: names.flatMap((name) =>
        themes.flatMap((theme) => [1280, 390].map((width) => ({ name, theme, width }))),
      ),
    });
  }

  test('a wrong token is refused in words', async () => {
    const { page, context } = await visit(browser, balancer);
    await page.goto('/');
    await page.getByLabel('Token').fill('wrong');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByText('Invalid Token').waitFor();
    await page.getByLabel('Token').fill(balancer.token);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('heading', { name: 'NodeBalancers' }).waitFor();
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByRole('heading', { name: 'Log in to balancer' }).waitFor();
    await context.close();
  });

  test('a one-time address logs in once', async () => {
    const { path } = await balancer.ask('POST', '/balancer/v1/login/codes');
    const first = await visit(browser, balancer);
    await first.page.goto(String(path));
    await first.page.getByRole('heading', { name: 'NodeBalancers' }).waitFor();
    const second = await visit(browser, balancer);
    await second.page.goto(String(path));
    await second.page.getByRole('heading', { name: 'Log in to balancer' }).waitFor();
    await first.context.close();
    await second.context.close();
  });

  test('create: errors stand at their fields, and everything typed stays; then it is made whole', async () => {
    const visitor = await enter();
    const { page } = visitor;
    await page.getByRole('link', { name: 'Create NodeBalancer' }).click();
    await page.getByLabel('NodeBalancer Label').fill('x');
    const newPort = await freePort();
    await page.getByLabel('Port', { exact: true }).fill(String(newPort));
    await page.getByRole('button', { name: 'Create NodeBalancer' }).click();
    await page.getByText('Label must be between 3 and 32 characters.').waitFor();
    expect(await page.getByLabel('NodeBalancer Label').getAttribute('aria-invalid')).toBe('true');
    await page.getByLabel('NodeBalancer Label').fill('made-here');
    await page.getByLabel('Label', { exact: true }).fill('node-1');
    const ownNode = await PeerListener.listen('127.0.0.1', await freePort());
    await page.getByLabel('IP Address and Port').fill(`127.0.0.1:${ownNode.port}`);
    await page.getByRole('button', { name: 'Create NodeBalancer' }).click();
    await page.getByRole('heading', { name: 'made-here' }).waitFor();
    const client = await Peer.connect({ host: '127.0.0.1', port: newPort });
    await ownNode.accept();
    client.destroy();
    await ownNode.close();

    await page.getByRole('link', { name: 'Settings' }).click();
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    const dialog = page.getByRole('dialog');
    const confirm = dialog.getByRole('button', { name: 'Delete' });
    expect(await confirm.isDisabled()).toBe(true);
    await dialog.getByLabel(/Type made-here/).fill('made-here');
    await confirm.click();
    await page.getByRole('heading', { name: 'NodeBalancers', exact: true }).waitFor();
    await expect.poll(() => page.getByRole('link', { name: 'made-here' }).count()).toBe(0);
    await visitor.context.close();
  });

  test('create: a configuration that is removed takes nothing of the others with it', async () => {
    const visitor = await enter();
    const { page } = visitor;
    await page.goto('/nodebalancers/create');
    await page.getByRole('button', { name: 'Add another Configuration' }).click();
    await page.getByLabel('Port', { exact: true }).nth(1).fill('81');
    await page.getByLabel('Protocol', { exact: true }).nth(1).selectOption('http');
    const effect = page.getByText('The active health check is HTTP Status now');
    await effect.waitFor();
    await page.getByRole('button', { name: 'Create NodeBalancer' }).click();
    await page.locator('[aria-invalid]').first().waitFor();
    await page.getByRole('button', { name: 'Remove Configuration' }).first().click();
    await page.getByText('1 configuration, 1 node').waitFor();
    expect(await page.getByLabel('Port', { exact: true }).inputValue()).toBe('81');
    expect(await effect.count()).toBe(1);
    expect(await page.locator('[aria-invalid]').count()).toBe(0);
    const add = page.getByRole('button', { name: 'Add another Configuration' });
    expect(await page.locator(':focus').and(add).count()).toBe(1);
    await visitor.context.close();
  });

  test('a conflict says who it was, and loads what is there', async () => {
    const visitor = await enter();
    const { page } = visitor;
    await PAGES.configurations(page);
    await page.getByLabel('Algorithm').selectOption('leastconn');
    await balancer.ask('PUT', paths.config, { check_interval: 60 });
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText(/Nothing was saved: It was changed meanwhile, by test/).waitFor();
    await page.getByRole('button', { name: 'Load what is there now' }).click();
    await expect.poll(() => page.getByLabel('Algorithm').inputValue()).toBe('roundrobin');
    await page.getByLabel('Algorithm').selectOption('leastconn');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('NodeBalancer Configuration updated successfully').waitFor();
    expect(await balancer.ask('GET', paths.config)).toMatchObject({ algorithm: 'leastconn', check_interval: 60 });
    await visitor.context.close();
  });

  test('a session is shown and can be ended', async () => {
    const client = await Peer.connect({ host: '127.0.0.1', port });
    const atNode = await node.accept();
    const visitor = await enter();
    const { page } = visitor;
    await page.getByRole('link', { name: 'Sessions' }).click();
    const name = `127.0.0.1:${client.socket.localPort}`;
    await page.getByRole('button', { name: `End the session of ${name}` }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'End' }).click();
    await client.recvEnd();
    client.destroy();
    await page.getByText('No sessions').waitFor();
    await atNode.recvEnd();
    atNode.destroy();
    await visitor.context.close();
  });

  test('history: a rollback brings back what was', async () => {
    const visitor = await enter();
    const { page } = visitor;
    const { label } = await balancer.ask('PUT', paths.path, { label: 'renamed' });
    expect(label).toBe('renamed');
    await page.getByRole('link', { name: 'History' }).click();
    const changes = page.getByRole('main').getByRole('list');
    await changes.getByText(/^webLabel web .*renamed$/).waitFor();
    await page.getByRole('button', { name: 'Roll back to this' }).first().click();
    await page.getByRole('dialog').getByRole('button', { name: 'Roll back' }).click();
    await changes.getByText(/^renamedLabel renamed .*web$/).waitFor();
    expect(await balancer.ask('GET', paths.path)).toMatchObject({ label: 'web' });
    await visitor.context.close();
  });

  test('a name that is markup stays text', async () => {
    const visitor = await enter();
    const { page } = visitor;
    await balancer.ask('PUT', paths.path, { tags: [HOSTILE] });
    await PAGES.summary(page);
    await page.getByText(HOSTILE).first().waitFor();
    await page
      .getByText(`tags none -> "${HOSTILE}"`)
      .or(page.getByText(`tags none -> ${HOSTILE}`))
      .waitFor();
    expect(await page.locator('img').count()).toBe(0);
    expect(visitor.complaints).toEqual([]);
    await visitor.context.close();
  });

  test('with the balancer away the page says so, and recovers', async () => {
    const visitor = await enter();
    const { page } = visitor;
    await balancer.stop();
    await page.getByText('The balancer’s API does not answer.').waitFor();
    balancer = await home.start();
    await expect
      .poll(() => page.getByText('The balancer’s API does not answer.').count(), { timeout: DEADLINE_MS })
      .toBe(0);
    await page.getByRole('link', { name: 'web', exact: true }).waitFor();
    await visitor.context.close();
  });
});

/** What axe-core calls serious or critical. */
async function seriousViolations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate<AxeResults>("axe.run(document, { resultTypes: ['violations'] })");
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${target} ${failureSummary}`));
}
