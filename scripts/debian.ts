// Installs the Debian packages that the tests want, when this machine lets us: root, apt, and nobody said no.
// It must not start any service: a policy-rc.d forbids that while it works, and is taken away afterwards.

import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';

/** Debian package -> a file that is there once it is installed. */
const TEST_PACKAGES: Readonly<Record<string, string>> = {
  nginx: '/usr/sbin/nginx',
  'libnginx-mod-stream': '/usr/lib/nginx/modules/ngx_stream_module.so',
  apache2: '/usr/sbin/apache2',
  'mariadb-server': '/usr/sbin/mariadbd',
  haproxy: '/usr/sbin/haproxy',
  wrk: '/usr/bin/wrk',
  chromium: '/usr/bin/chromium',
};

const POLICY = '/usr/sbin/policy-rc.d';

/**
 * Installs what is missing and says so on stderr; where it may not, says which tests will be skipped for it.
 * @returns the seconds that it took
 */
export function installTestPackages(): number {
  const startMs = performance.now();
  installMissing();
  return (performance.now() - startMs) / 1000;
}

function installMissing(): void {
  const missing = Object.entries(TEST_PACKAGES).flatMap(([name, file]) => (existsSync(file) ? [] : [name]));
  if (missing.length === 0) return;
  const wanted = missing.join(' ');
  const refusal = whyNotInstall();
  if (refusal !== undefined) {
    process.stderr.write(
      `Tests that need these Debian packages will be skipped: ${wanted} (not installed: ${refusal})\n`,
    );
    return;
  }
  process.stderr.write(`Installing Debian packages for the tests, without starting them: ${wanted}\n`);
  const hadPolicy = existsSync(POLICY);
  if (!hadPolicy) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    for (const args of [
      ['update', '-qq'],
      ['install', '-y', '-qq', '--no-install-recommends', ...missing],
    ]) {
      const { status, stdout, stderr } = spawnSync('apt-get', args, { env, encoding: 'utf8' });
      if (status !== 0) process.stderr.write(`apt-get ${args.join(' ')} failed:\n${stdout}${stderr}`);
    }
  } finally {
    if (!hadPolicy) rmSync(POLICY, { force: true });
  }
}

function whyNotInstall(): string | undefined {
  if (process.env.BALANCER_TEST_INSTALL === '0') return 'BALANCER_TEST_INSTALL=0';
  if (process.getuid?.() !== 0) return 'not root';
  if (!existsSync('/usr/bin/apt-get')) return 'no apt-get';
  return undefined;
}
