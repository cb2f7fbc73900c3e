// Debian's chromium, driven through the page as a person would: by labels and names, never by classes.

import { existsSync } from 'node:fs';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { DEADLINE_MS } from './deadline.ts';
import type { StoredBalancer } from './stored-balancer.ts';

const CHROMIUM = '/usr/bin/chromium';

export const available = (): boolean => existsSync(CHROMIUM);
export const missing = 'needs the Debian package chromium';

export type Theme = 'light' | 'dark';

/** An address that nobody has (RFC 5737): the browser finds this machine there, and takes it for another. */
export const OTHER_MACHINE = '192.0.2.1';

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-dev-shm-usage',
      `--host-resolver-rules=MAP ${OTHER_MACHINE} 127.0.0.1`,
    ],
  });
}

/** A page, and what went wrong in it. */
export interface Visit {
  readonly page: Page;
  readonly context: BrowserContext;
  /** messages of the console that are errors, uncaught errors, and requests to anybody but the balancer */
  readonly complaints: string[];
}

export interface VisitOptions {
  width?: number;
  theme?: Theme;
}

export async function visit(browser: Browser, balancer: StoredBalancer, options: VisitOptions = {}): Promise<Visit> {
  const { width = 1280, theme = 'light' } = options;
  const context = await browser.newContext({
    viewport: { width, height: 900 },
    colorScheme: theme,
    baseURL: balancer.url,
  });
  context.setDefaultTimeout(DEADLINE_MS);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    // A refused request is the page's business, and shows there; chromium reports each.
    if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    if (!request.url().startsWith(balancer.url)) complaints.push(`a request to ${request.url()}`);
  });
  return { page, context, complaints };
}

/** Through a one-time address, as `balancer login` gives one. */
export async function logIn({ page }: Visit, balancer: StoredBalancer): Promise<void> {
  const { path } = await balancer.ask('POST', '/balancer/v1/login/codes');
  await page.goto(String(path));
  await page.getByRole('heading', { name: 'NodeBalancers' }).waitFor();
}
