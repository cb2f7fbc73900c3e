// The answers that a page gets from the API while it loads, one at a time: each is drawn before the next is let through. With the
// oldest first and with the newest first, of any two that a page waits for each has come before the other. It changes no answer.

import type { Page, Route } from 'playwright-core';

/** Two frames: in the first, what was decided before it is drawn; in the second, what observers of that had to say. */
const PAINTED = 'new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(painted)))';

export class AnswerOrder {
  /** whose turn it is, of those that the page waits for */
  first: 'oldest' | 'newest' = 'oldest';
  readonly #page: Page;
  readonly #waiting: Route[] = [];
  #running: Promise<void> | undefined;

  constructor(page: Page) {
    this.#page = page;
  }

  async start(): Promise<void> {
    await this.#page.route(/\/(v4|balancer)\//, (route) => {
      this.#waiting.push(route);
      this.#running ??= this.#run();
    });
  }

  /** Everything that was asked for is answered and drawn. */
  async drawn(): Promise<void> {
    do {
      await this.#running;
      await this.#page.evaluate(PAINTED);
    } while (this.#running !== undefined);
  }

  async #run(): Promise<void> {
    do {
      // Whatever else this page is about to ask for waits with the others.
      await this.#page.evaluate(PAINTED);
      const route = this.first === 'oldest' ? this.#waiting.shift() : this.#waiting.pop();
      if (route !== undefined) await passOn(route);
      await this.#page.evaluate(PAINTED);
    } while (this.#waiting.length > 0);
    this.#running = undefined;
  }
}

/** @returns when the answer is there */
async function passOn(route: Route): Promise<void> {
  await route.continue();
  const response = await route.request().response();
  // The answer to a subscription has no end.
  if (route.request().resourceType() !== 'eventsource') await response?.finished();
}
