// Light, dark, or as the system has it; kept in this browser.

import { useEffect, useState } from 'preact/hooks';

const KEY = 'balancer-theme';
const THEMES = ['system', 'light', 'dark'] as const;
type Theme = (typeof THEMES)[number];

function stored(): Theme {
  const value = localStorage.getItem(KEY);
  return THEMES.find((theme) => theme === value) ?? 'system';
}

function apply(theme: Theme): void {
  if (theme === 'system') document.documentElement.removeAttribute('data-theme');
  else document.documentElement.dataset.theme = theme;
}

/** Before anything is drawn: the login page has no switch, and no page is to change its colours while it loads. */
export function applyStoredTheme(): void {
  apply(stored());
}

export function ThemeSwitch() {
  const [theme, setTheme] = useState<Theme>(stored);
  useEffect(() => {
    localStorage.setItem(KEY, theme);
    apply(theme);
  }, [theme]);
  return (
    <label class="theme">
      <span class="visually-hidden">Theme</span>
      <select value={theme} onChange={(event) => setTheme(THEMES[event.currentTarget.selectedIndex] ?? 'system')}>
        {THEMES.map((name) => (
          <option key={name} value={name}>
            {name === 'system' ? 'System theme' : name === 'light' ? 'Light' : 'Dark'}
          </option>
        ))}
      </select>
    </label>
  );
}
