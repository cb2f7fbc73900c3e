// What the main thread and a thread that writes lines say to each other. What is posted and what became of it are counted on both
// sides, in cells of shared memory: so nobody waits for an answer, and what is on its way is known even when the thread is gone.

/** Where lines go: a path that is opened, and opened anew on demand, or a descriptor that is there. */
export type Target = { readonly path: string } | { readonly fd: number };

/** What a writing thread is started with. */
export interface WriterTask {
  readonly target: Target;
  /** see COUNTS */
  readonly counts: SharedArrayBuffer;
}

/** Cells (int32) that the thread writes and everybody reads. Counts wrap at 2^32: only differences mean something. */
export const COUNTS = {
  /** lines written */
  written: 0,
  /** lines that the sink did not take */
  lost: 1,
  /** UTF-16 units of both: each change is notified (Atomics.notify) */
  done: 2,
  /** 1 once the thread works: until then, what is handed over waits for it and not for the sink */
  isUp: 3,
} as const;

export const COUNTS_BYTES = 4 * Int32Array.BYTES_PER_ELEMENT;

export type ToWriter =
  /** whole lines, each with its line break */
  | { kind: 'lines'; text: string }
  /** the file was moved away: go on in a new one of the same name */
  | { kind: 'reopen' }
  /** write what is there, then end */
  | { kind: 'end' }
  | { kind: 'fault'; fault: LineFault };

/** Why lines are being lost, as the end of a sentence. */
export interface FromWriter {
  readonly problem: string;
}

/** Ways in which a test may make a writing thread fail, where that was allowed at start. `block` is a system call that hangs. */
export const LINE_FAULTS = ['throw', 'block'] as const;
export type LineFault = (typeof LINE_FAULTS)[number];

/** @returns how many lines a text has */
export function countLines(text: string): number {
  let lines = 0;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lines++;
  return lines;
}
