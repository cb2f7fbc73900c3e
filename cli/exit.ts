// Exit codes and the one error that means "you called it wrongly".

export const EXIT_OK = 0;
export const EXIT_FAILURE = 1;
export const EXIT_USAGE = 2;
/** EX_TEMPFAIL of sysexits.h: what stands in the way goes by itself, and a supervisor does well to start again */
export const EXIT_TEMPORARY = 75;
/** EX_CONFIG of sysexits.h: a supervisor can tell that starting again would not help */
export const EXIT_CONFIG = 78;

export class UsageError extends Error {
  override readonly name = 'UsageError';
}
