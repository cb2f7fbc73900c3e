// Where nobody is logged in yet: with a token, once; the browser keeps a cookie that no script can read.

import { useState } from 'preact/hooks';
import { ApiFailure, post } from '../api/client.ts';
import type { Login } from '../api/types.ts';
import { TextField } from '../parts/fields.tsx';

export function LoginPage({ onLogin }: { readonly onLogin: (login: Login) => void }) {
  const [token, setToken] = useState('');
  const [error, setError] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      onLogin((await post<Login>('/balancer/v1/login', { token: token.trim() })).data);
    } catch (failure) {
      setError(failure instanceof ApiFailure ? failure.message : String(failure));
      setBusy(false);
    }
  };
  return (
    <main class="login">
      <form class="panel" onSubmit={submit}>
        <h1>Log in to balancer</h1>
        <TextField
          label="Token"
          isSecret
          isMono
          value={token}
          error={error}
          onChange={setToken}
          help={
            <>
              On the balancer’s machine, <code>balancer login</code> prints an address that logs you in, and{' '}
              <code>balancer token create</code> makes a token.
            </>
          }
        />
        <div class="actions">
          <button type="submit" class="button primary" disabled={isBusy || token.trim() === ''}>
            Log in
          </button>
        </div>
      </form>
    </main>
  );
}
