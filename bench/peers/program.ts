// Whether a peer's program is there. A missing one is no error: the run goes on without it and says which package has it.

import { accessSync, constants, statSync } from 'node:fs';
import { resolve } from 'node:path';

/** @param variable the environment variable that chooses another build; a relative path counts from here, not from where a peer runs */
export function chosenProgram(variable: string, usual: string): string {
  const chosen = process.env[variable];
  return chosen === undefined ? usual : resolve(chosen);
}

/** @param variable the environment variable that chooses another build @param packages Debian's, with the usual build */
export function whyNotProgram(path: string, variable: string, packages: string): string | undefined {
  if (canRun(path)) return undefined;
  if (process.env[variable] !== undefined) return `${variable}=${path} is no program that can be run`;
  return `it is not installed (Debian: apt-get install ${packages})`;
}

function canRun(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    // Directories have that right too.
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
