// The frame of the page: menu, top bar, the page that the address names; or the login, as long as nobody is logged in.

import { useCallback, useEffect, useLayoutEffect, useState } from 'preact/hooks';
import { LocationProvider, Route, Router, useLocation } from 'preact-iso';
import { type Answer, type ApiFailure, get, LOGIN, onAvailability, onExpiry, post, setCsrf } from './api/client.ts';
import type { Login } from './api/types.ts';
import { LoginContext, useReadOnlyReason } from './login.ts';
import { CreatePage } from './pages/create.tsx';
import { DetailPage } from './pages/detail.tsx';
import { EventsPage } from './pages/events.tsx';
import { HistoryPage } from './pages/history.tsx';
import { LandingPage } from './pages/landing.tsx';
import { ExpiredDialog, LoginPage } from './pages/login.tsx';
import { SessionsPage } from './pages/sessions.tsx';
import { PageHeading } from './parts/heading.tsx';
import { Loading, Notice } from './parts/notice.tsx';
import { ThemeSwitch } from './parts/theme.tsx';

/** While the balancer is away. */
const RETRY_MS = 2000;

interface AppProps {
  /** the answer to who is logged in, asked for already */
  readonly loginAtFirst: Promise<Answer<Login>>;
}

export function App({ loginAtFirst }: AppProps) {
  const [login, setLogin] = useState<Login | null>();
  const [isExpired, setExpired] = useState(false);
  const enter = useCallback((who: Login) => {
    setLogin(who);
    setExpired(false);
    setCsrf(who.csrf);
  }, []);
  useEffect(() => onExpiry(() => setExpired(true)), []);
  useLayoutEffect(() => {
    loginAtFirst.then(
      ({ data }) => enter(data),
      (failure: ApiFailure) => setLogin(failure.status === 0 ? undefined : null),
    );
  }, [loginAtFirst]);
  useAvailabilityReload(login === undefined);
  if (login === undefined) return <Loading />;
  if (login === null) return <LoginPage onLogin={enter} />;
  return (
    <LoginContext.Provider value={login}>
      <LocationProvider>
        <Frame login={login} onLogout={() => setLogin(null)} />
      </LocationProvider>
      {isExpired && <ExpiredDialog onLogin={enter} />}
    </LoginContext.Provider>
  );
}

/** A page that was opened while the balancer was away asks again until it answers. */
function useAvailabilityReload(isWaiting: boolean): void {
  useEffect(() => {
    if (!isWaiting) return;
    const timer = setInterval(() => void get(LOGIN).then(() => location.reload(), reloadWhenAnswered), RETRY_MS);
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
      <a class="skip-link" href="#page">
        Skip to the page
      </a>
      <nav class="menu" aria-label="Main">
        <span class="brand">balancer</span>
        {MENU.map((item) => (
          <a key={item.path} href={item.path} aria-current={isAt(item.path, path) ? 'page' : undefined}>
            {item.text}
          </a>
        ))}
      </nav>
      <header class="topbar">
        <ThemeSwitch />
        <span class="quiet">
          {login.author}
          <span class="wide-only"> · balancer {login.version}</span>
        </span>
        <button type="button" class="link" onClick={() => void post(`${LOGIN}/end`, {}).finally(onLogout)}>
          Log out
        </button>
      </header>
      <main class="page" id="page" tabIndex={-1}>
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

/** The root is the landing page, too. */
function isAt(itemPath: string, path: string): boolean {
  return path.startsWith(itemPath) || (path === '/' && itemPath === MENU[0].path);
}

function AwayNotice() {
  const [isAvailable, setAvailable] = useState(true);
  useEffect(() => onAvailability(setAvailable), []);
  useEffect(() => {
    if (isAvailable) return;
    // The client hears from any answer that the balancer is back, and then pages load again.
    const timer = setInterval(() => void get(LOGIN).catch(() => {}), RETRY_MS);
    return () => clearInterval(timer);
  }, [isAvailable]);
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
      <PageHeading title="Not found" />
      <p>
        There is no such page. <a href="/nodebalancers">All NodeBalancers</a>
      </p>
    </>
  );
}
