// Data of the server in a component: loaded at once, kept while it is loaded again, thrown away when the component goes.

import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { ApiFailure } from './client.ts';

export interface Query<T> {
  readonly data: T | undefined;
  readonly failure: ApiFailure | undefined;
  readonly isLoading: boolean;
  readonly reload: () => void;
}

/**
 * @param key what is loaded; another key loads anew @param load must throw only ApiFailure
 * @param everyMs loads again after this time, while the page is visible
 */
export function useQuery<T>(key: string, load: () => Promise<T>, everyMs?: number): Query<T> {
  const [state, setState] = useState<{ key: string; data?: T; failure?: ApiFailure; isLoading: boolean }>({
    key,
    isLoading: true,
  });
  const loading = useRef(load);
  loading.current = load;
  const [turn, setTurn] = useState(0);
  const reload = useCallback(() => setTurn((count) => count + 1), []);
  useEffect(() => {
    let isCurrent = true;
    setState((old) => (old.key === key ? { ...old, isLoading: true } : { key, isLoading: true }));
    loading.current().then(
      (data) => isCurrent && setState({ key, data, isLoading: false }),
      (error: unknown) => {
        const failure = error instanceof ApiFailure ? error : new ApiFailure(0, [{ reason: String(error) }]);
        // What was there stays on the page: it is old, not wrong.
        if (isCurrent) setState((old) => ({ ...old, failure, isLoading: false }));
      },
    );
    return () => {
      isCurrent = false;
    };
  }, [key, turn]);
  useEffect(() => {
    if (everyMs === undefined) return;
    const timer = setInterval(() => document.visibilityState === 'visible' && reload(), everyMs);
    return () => clearInterval(timer);
  }, [everyMs, reload]);
  const isSame = state.key === key;
  return {
    data: isSame ? state.data : undefined,
    failure: isSame ? state.failure : undefined,
    isLoading: state.isLoading,
    reload,
  };
}
