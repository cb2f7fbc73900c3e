import { render } from 'preact';
import { get, LOGIN } from './api/client.ts';
import type { Login } from './api/types.ts';
import { App } from './app.tsx';
import { headStart } from './head-start.ts';
import { applyStoredTheme } from './parts/theme.tsx';

applyStoredTheme();

const login = get<Login>(LOGIN);
headStart(location.pathname);

const root = document.getElementById('app');
if (root !== null) render(<App loginAtFirst={login} />, root);
