// What happens to the data plane, told twice: as a line of the log, and as an event to whoever listens.

import type { Logger } from './logger.ts';

export interface LoggedEvent {
  readonly kind: 'node' | 'shard' | 'configuration' | 'lifecycle';
  /** the line of the log */
  readonly message: string;
  /** which one, for kind `node` */
  readonly node?: NodeName;
}

export interface NodeName {
  /** label */
  readonly nodebalancer: string;
  readonly port: number;
  readonly label: string;
  readonly address: string;
}

export class EventLog {
  onEvent: (event: LoggedEvent) => void = () => {};
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  tell(level: 'info' | 'warn' | 'error', event: LoggedEvent): void {
    this.#logger[level](event.message);
    this.onEvent(event);
  }
}
