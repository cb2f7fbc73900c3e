// The frame of the page: menu, top bar, the page that the address names; or the login, as long as nobody is logged in.

import { useEffect, useState } from 'preact/hooks';
import { LocationProvider, Route, Router, useLocation } from 'preact-iso';
import { type ApiFailure, get, onAvailability, post, setCsrf } from './api/client.ts';
import type { Login } from './api/types.ts';
import { LoginContext, useReadOnlyReason } from './login.ts';
import { CreatePage } from './pages/create.tsx';
import { DetailPage } from './pages/detail.tsx';
import { EventsPage } from './pages/events.tsx';
import { HistoryPage } from './pages/history.tsx';
import { LandingPage } from './pages/landing.tsx';
import { LoginPage } from './pages/login.tsx';
import { SessionsPage } from './pages/sessions.tsx';
import { Loading, Notice } from './parts/notice.tsx';
import { ThemeSwitch } from './parts/theme.tsx';

const LOGIN = '/balancer/v1/login';

export function App() {
  const [login, setLogin] = useState<Login | null>();
  const enter = (who: Login) => {
    setCsrf(who.csrf);
    setLogin(who);
  };
  useEffect(() => {
    get<Login>(LOGIN).then(
      ({ data }) => enter(data),
      (failure: ApiFailure) => setLogin(failure.status === 0 ? undefined : null),
    );
  }, []);
  useAvailabilityReload(login === undefined);
  if (login === undefined) return <Loading />;
  if (login === null) return <LoginPage onLogin={enter} />;
  return (
    <LoginContext.Provider value={login}>
      <LocationProvider>
        <Frame login={login} onLogout={() => setLogin(null)} />
      </LocationProvider>
    </LoginContext.Provider>
  );
}

/** A page that was opened while the balancer was away asks again until it answers. */
function useAvailabilityReload(isWaiting: boolean): void {
  useEffect(() => {
    if (!isWaiting) return;
    const timer = setInterval(() => void get(LOGIN).then(() => location.reload(), reloadWhenAnswered), 2000);
    return () => clearInterval(timer);
  }, [isWaiting]);
}

function reloadWhenAnswered(failure: ApiFailure): void {
  if (failure.status !== 0) location.reload();
}

const MENU = [
  { path: '/nodebalancers', text: 'NodeBalancers' },
  { path: '/sessions', text: 'Sessions' },
  { path: '/events', text: 'Events' },
  { path: '/history', text: 'History' },
] as const;

function Frame({ login, onLogout }: { readonly login: Login; readonly onLogout: () => void }) {
  const { path } = useLocation();
  return (
    <div class="frame">
      <nav class="menu" aria-label="Main">
        <span class="brand">balancer</span>
        {MENU.map((item) => (
          <a key={item.path} href={item.path} aria-current={path.startsWith(item.path) ? 'page' : undefined}>
            {item.text}
          </a>
        ))}
      </nav>
      <header class="topbar">
        <ThemeSwitch />
        <span class="quiet">
          {login.author} · balancer {login.version}
        </span>
        <button type="button" class="link" onClick={() => void post(`${LOGIN}/end`, {}).finally(onLogout)}>
          Log out
        </button>
      </header>
      <main class="page">
        <AwayNotice />
        <ReadOnlyNotice />
        <Router>
          <Route path="/" component={LandingPage} />
          <Route path="/nodebalancers" component={LandingPage} />
          <Route path="/nodebalancers/create" component={CreatePage} />
          <Route path="/nodebalancers/:id/:tab?/:config?" component={DetailPage} />
          <Route path="/sessions" component={SessionsPage} />
          <Route path="/events" component={EventsPage} />
          <Route path="/history" component={HistoryPage} />
          <Route default component={MissingPage} />
        </Router>
      </main>
    </div>
  );
}

function AwayNotice() {
  const [isAvailable, setAvailable] = useState(true);
  useEffect(() => onAvailability(setAvailable), []);
  if (isAvailable) return null;
  return (
    <Notice kind="error">
      The balancer’s API does not answer. Connections may well go on; this page tries again by itself.
    </Notice>
  );
}

function ReadOnlyNotice() {
  const reason = useReadOnlyReason();
  return reason === undefined ? null : <Notice kind="info">{reason}</Notice>;
}

function MissingPage() {
  return (
    <>
      <h1>Not found</h1>
      <p>
        There is no such page. <a href="/nodebalancers">All NodeBalancers</a>
      </p>
    </>
  );
}
