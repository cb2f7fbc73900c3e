// Messages for people, on stderr, one line each. Data goes to stdout, ended sessions to the access log: neither passes here.

const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface Logger {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
  /** as it is, whatever the level: what a start has to say */
  say(text: string): void;
}

/** @param write takes whole lines, and never waits */
export function createLogger(level: LogLevel, write: (text: string) => void): Logger {
  const least = LOG_LEVELS.indexOf(level);
  const at = (name: LogLevel) => (message: string) => {
    if (LOG_LEVELS.indexOf(name) < least) return;
    write(`${new Date().toISOString()} ${name.padEnd(5)} ${message}\n`);
  };
  const say = (text: string) => write(`${text}\n`);
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), say };
}
