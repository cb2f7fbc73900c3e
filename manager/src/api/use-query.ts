// Data of the server in a component: loaded at once, kept while it is loaded again, thrown away when the component goes.

import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { type ApiFailure, asFailure, onRecovery } from './client.ts';
import { takeEarly } from './early.ts';

export interface Query<T> {
  readonly data: T | undefined;
  readonly failure: ApiFailure | undefined;
  /** the data is known to be wrong by now: to be looked at until the answer comes, not to be built on */
  readonly isStale: boolean;
  readonly reload: () => void;
  /** a reload that calls the data stale */
  readonly loadAnew: () => void;
}

interface State<T> {
  readonly key: string;
  readonly data?: T;
  readonly failure?: ApiFailure;
  readonly isStale?: boolean;
}

/**
 * @param key what is loaded; another key loads anew @param load must throw only ApiFailure
 * @param everyMs loads again after this time, while the page is visible
 */
export function useQuery<T>(key: string, load: () => Promise<T>, everyMs?: number): Query<T> {
  const [state, setState] = useState<State<T>>({ key });
  const loading = useRef(load);
  loading.current = load;
  const [turn, setTurn] = useState(0);
  const reload = useCallback(() => setTurn((count) => count + 1), []);
  const loadAnew = useCallback(() => {
    setState((old) => ({ ...old, isStale: true }));
    reload();
  }, [reload]);
  // Before the place that waits for the answer is drawn: to draw it takes longer than to answer.
  useLayoutEffect(() => {
    let isCurrent = true;
    setState((old) => (old.key === key ? old : { key }));
    (takeEarly<T>(key) ?? loading.current()).then(
      (data) => isCurrent && setState({ key, data }),
      (error: unknown) => {
        const failure = asFailure(error);
        // What was there stays on the page if it is only old.
        if (isCurrent) setState((old) => ({ ...(old.isStale === true ? { key } : old), failure }));
      },
    );
    return () => {
      isCurrent = false;
    };
  }, [key, turn]);
  const status = state.failure?.status;
  // What failed only because the balancer was away, or the login over, is there when that has passed.
  useEffect(() => (status === 0 || status === 401 ? onRecovery(reload) : undefined), [status, reload]);
  useEffect(() => {
    if (everyMs === undefined) return;
    const timer = setInterval(() => document.visibilityState === 'visible' && reload(), everyMs);
    return () => clearInterval(timer);
  }, [everyMs, reload]);
  const isSame = state.key === key;
  return {
    data: isSame ? state.data : undefined,
    failure: isSame ? state.failure : undefined,
    isStale: isSame && state.isStale === true,
    reload,
    loadAnew,
  };
}
