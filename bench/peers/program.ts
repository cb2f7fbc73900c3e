// Whether a peer's program is there. A missing one is no error: the run goes on without it and says which package has it.

import { accessSync, constants } from 'node:fs';

/** @param variable the environment variable that chooses another build @param packages Debian's, with the usual build */
export function whyNotProgram(path: string, variable: string, packages: string): string | undefined {
  try {
    accessSync(path, constants.X_OK);
    return undefined;
  } catch {
    if (process.env[variable] !== undefined) return `${variable}=${path} is no program that can be run`;
    return `it is not installed (Debian: apt-get install ${packages})`;
  }
}
