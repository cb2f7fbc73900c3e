// Who is logged in, for every component: whether changes are possible, and why not.

import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Login } from './api/types.ts';

export const LoginContext = createContext<Login | undefined>(undefined);

/** Only below a login. */
export function useLogin(): Login {
  const login = useContext(LoginContext);
  if (login === undefined) throw new Error('there is no login above this component');
  return login;
}

/** Why this person cannot change anything; undefined when they can. */
export function useReadOnlyReason(): string | undefined {
  const { file, scope } = useLogin();
  if (file !== null) return `The configuration comes from ${file}, so it is shown here and changed there.`;
  if (scope === 'read_only') return 'You are logged in with a read_only token: you can look, not change.';
  return undefined;
}

/** Whether this person may end sessions: that is no change of the configuration, so a file does not stand in its way. */
export function useMayOperate(): boolean {
  return useLogin().scope === 'read_write';
}
