// What a page asks for first, asked as soon as the script runs: the address says which it is. Without this, each question waits for the
// answer before it and for the drawing that follows: who is logged in, then the NodeBalancer, then its configs. Whoever is not logged
// in gets refusals, which nobody reads.

import { askEarly } from './api/early.ts';
import { configsOf, nodebalancerOf, overviews } from './api/nodebalancers.ts';
import { planeState } from './api/state.ts';
import { formOf } from './pages/existing-config.tsx';
import { statisticsOf } from './pages/summary-graphs.tsx';

/** @param path of the page's address */
export function headStart(path: string): void {
  const [, id, tab = 'summary', config] = /^\/nodebalancers\/(\d+)(?:\/(\w+)(?:\/(\d+))?)?/.exec(path) ?? [];
  if (path === '/' || path === '/nodebalancers') void askEarly(overviews);
  else if (id !== undefined) askForDetail(Number(id), tab, config);
}

function askForDetail(id: number, tab: string, config: string | undefined): void {
  void askEarly(nodebalancerOf(id));
  if (tab === 'summary') {
    void askEarly(configsOf(id));
    void askEarly(statisticsOf(id, 'hour'));
    void askEarly(planeState);
  }
  if (tab === 'configurations') void askForConfigs(id, config);
}

/** The one that is open: the address names it, or it is the only one. */
async function askForConfigs(id: number, config: string | undefined): Promise<void> {
  const configs = askEarly(configsOf(id));
  if (config !== undefined) void askEarly(formOf(id, Number(config)));
  const [first, ...others] = (await configs) ?? [];
  if (config === undefined && first !== undefined && others.length === 0) void askEarly(formOf(id, first.id));
}
