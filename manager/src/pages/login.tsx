// Where nobody is logged in yet, or no longer: with a token, once; the browser keeps a cookie that no script can read.

import { useEffect, useState } from 'preact/hooks';
import { ApiFailure, get, LOGIN, post } from '../api/client.ts';
import type { Login } from '../api/types.ts';
import { useModal } from '../parts/dialog.tsx';
import { TextField } from '../parts/fields.tsx';

interface LoginProps {
  readonly onLogin: (login: Login) => void;
}

export function LoginPage({ onLogin }: LoginProps) {
  useEffect(() => {
    document.title = 'Log in – balancer';
  }, []);
  return (
    <main class="login">
      <div class="panel">
        <h1>Log in to balancer</h1>
        <LoginForm onLogin={onLogin} />
      </div>
    </main>
  );
}

/** Over the page, which stays as it is: what was typed there is not lost with the login. */
export function ExpiredDialog({ onLogin }: LoginProps) {
  const dialog = useModal();
  useEffect(() => {
    // Somebody who comes back to this tab may have logged in in another.
    const look = () =>
      void get<Login>(LOGIN).then(
        ({ data }) => onLogin(data),
        () => {},
      );
    window.addEventListener('focus', look);
    return () => window.removeEventListener('focus', look);
  }, [onLogin]);
  return (
    <dialog
      ref={dialog}
      class="dialog"
      aria-labelledby="expired"
      onCancel={(event) => event.preventDefault()}
      // Browsers close a dialog at the second Escape whatever it says to the first.
      onClose={() => dialog.current?.showModal()}
    >
      <div class="dialog-body form-section">
        <h2 id="expired">Your login has ended</h2>
        <p>Log in again to go on where you were: nothing on this page is lost.</p>
        <LoginForm onLogin={onLogin} />
      </div>
    </dialog>
  );
}

function LoginForm({ onLogin }: LoginProps) {
  const [token, setToken] = useState('');
  const [error, setError] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      onLogin((await post<Login>(LOGIN, { token: token.trim() })).data);
    } catch (failure) {
      setError(failure instanceof ApiFailure ? failure.message : String(failure));
      setBusy(false);
    }
  };
  return (
    <form class="form-section" onSubmit={submit}>
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
  );
}
