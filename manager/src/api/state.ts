// The state of the data plane, shared by everything on the page that shows it: asked for once per interval, however many look.

import { useLayoutEffect, useState } from 'preact/hooks';
import { get } from './client.ts';
import { type Question, takeEarly } from './early.ts';
import type { FrontendState, PlaneState } from './plane.ts';
import { record } from './rates.ts';

interface Seen {
  readonly state: PlaneState;
  /** seconds since 1970 */
  readonly time: number;
}

export const planeState: Question<Seen> = ['state', look];

async function look(): Promise<Seen> {
  const { data } = await get<PlaneState>('/balancer/v1/state');
  return { state: data, time: Date.now() / 1000 };
}

const INTERVAL_MS = 2000;
const listeners = new Set<(state: PlaneState) => void>();
let latest: PlaneState | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;
/** Whoever asked last goes on asking. */
let lastTurn = 0;

async function ask(): Promise<void> {
  const turn = ++lastTurn;
  try {
    if (document.visibilityState === 'visible') {
      const [key, load] = planeState;
      const { state, time } = await (takeEarly<Seen>(key) ?? load());
      latest = state;
      record(latest, time);
      for (const listener of listeners) listener(latest);
    }
  } catch {
    // The frame says that the balancer is away; what was shown stays.
  }
  if (turn !== lastTurn) return;
  if (listeners.size > 0) timer = setTimeout(ask, INTERVAL_MS);
  else timer = undefined;
}

export function usePlaneState(): PlaneState | undefined {
  const [state, setState] = useState(latest);
  // As in use-query.ts: before the place for it is drawn.
  useLayoutEffect(() => {
    listeners.add(setState);
    if (timer === undefined) {
      timer = setTimeout(() => {}, 0);
      void ask();
    }
    return () => {
      listeners.delete(setState);
    };
  }, []);
  return state;
}

/** Asks at once, instead of at the end of the interval: something is known to have changed. */
export function refreshPlaneState(): void {
  if (timer === undefined) return;
  clearTimeout(timer);
  void ask();
}

export function useFrontendState(nodebalancer: string, port: number): FrontendState | undefined {
  const state = usePlaneState();
  return state?.frontends.find((frontend) => frontend.nodebalancer === nodebalancer && frontend.port === port);
}
