// Which signal means what. (INT: the first drains, the second is in a hurry. A second TERM is, too: that is what operators expect
// when the first did not end soon enough.)

export interface SignalActions {
  stop: (signal: string) => void;
  stopAtOnce: (signal: string) => void;
  reload: () => void;
  /** SIGHUP while the end has begun */
  reloadTooLate: () => void;
  reopenLog: () => void;
  upgrade: () => void;
}

export function handleSignals(actions: SignalActions): void {
  let isStopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (isStopping) return actions.stopAtOnce(signal);
      isStopping = true;
      actions.stop(signal);
    });
  }
  process.on('SIGHUP', () => {
    if (isStopping) actions.reloadTooLate();
    else actions.reload();
  });
  process.on('SIGUSR1', actions.reopenLog);
  process.on('SIGUSR2', actions.upgrade);
}
