// A logger that only keeps what it was told: `warn: …`, line by line.

import type { Logger } from '../../../workers/logger.ts';

export interface Notebook extends Logger {
  readonly lines: string[];
}

export function makeNotebook(): Notebook {
  const lines: string[] = [];
  const at = (level: string) => (message: string) => {
    lines.push(`${level}: ${message}`);
  };
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), say: at('say') };
}
