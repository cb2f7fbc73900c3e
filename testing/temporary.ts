// Temporary directories for programs that tests start. Each can be handed to an unprivileged user, because the servers
// that refuse to run as root still have to write there. What is left over goes when the process ends.

import { chmodSync, chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Debian's and everybody else's user without rights: nobody, nogroup. */
const NOBODY = 65_534;

/** What a server process runs as: itself, or nobody where the tests run as root. */
export const UNPRIVILEGED: Readonly<{ uid: number; gid: number }> | undefined =
  process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : undefined;

const leftOver = new Set<string>();
process.on('exit', () => {
  for (const path of leftOver) rmSync(path, { recursive: true, force: true });
});

/** A new directory, writable for the user that servers run as. */
export function makeTemporaryDirectory(name: string): string {
  const path = mkdtempSync(join(tmpdir(), `balancer-${name}-`));
  leftOver.add(path);
  chmodSync(path, 0o755);
  if (UNPRIVILEGED !== undefined) chownSync(path, UNPRIVILEGED.uid, UNPRIVILEGED.gid);
  return path;
}

export function removeTemporaryDirectory(path: string): void {
  rmSync(path, { recursive: true, force: true });
  leftOver.delete(path);
}
