// Programs that tests start: output collected, waited for with a deadline, stopped by pid. Every failure carries the tail
// of what the program said, because "timed out" alone explains nothing.
// Each program leads its own process group, so that a server's workers can be ended with it: a master that dies by
// SIGKILL leaves its workers behind.

import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { DEADLINE_MS } from './deadline.ts';
import { UNPRIVILEGED } from './temporary.ts';

const POLL_MS = 5;
const KEPT_CHARACTERS = 1_000_000;
const SHOWN_LINES = 40;

export interface ProgramOptions {
  /** For messages only. */
  name: string;
  command: string;
  args?: readonly string[];
  /** Added to this process's environment; `undefined` removes a name. */
  env?: Readonly<Record<string, string | undefined>>;
  cwd?: string;
  /** Run as nobody where the tests run as root. */
  unprivileged?: boolean;
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

const running = new Set<Program>();
process.on('exit', () => {
  for (const program of running) program.killGroup();
});

/** Ends at once everything that is still running. For interrupted runs; tests stop what they started. */
export function killAllPrograms(): void {
  for (const program of running) program.killGroup();
}

/** Resolves once `condition` is true; rejects with `what` at the deadline. A condition that throws counts as false. */
export async function eventually(
  what: string,
  condition: () => boolean | Promise<boolean>,
  deadlineMs: number = DEADLINE_MS,
): Promise<void> {
  const end = performance.now() + deadlineMs;
  let last: unknown;
  for (;;) {
    try {
      if (await condition()) return;
    } catch (error) {
      last = error;
    }
    if (performance.now() > end) throw new Error(`not within ${deadlineMs} ms: ${what}`, { cause: last });
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** `R`, `S`, and `T` of a process that is stopped (proc_pid_stat(5)). */
export function stateOf(pid: number): string {
  return readFileSync(`/proc/${pid}/stat`, 'utf8').match(/\) (\S)/)?.[1] ?? '';
}

export class Program {
  readonly name: string;
  readonly pid: number;
  /** Resolves when the process has ended and all its output has been read; never rejects. */
  readonly exit: Promise<Exit>;
  stdout = '';
  stderr = '';
  exited: Exit | undefined;
  readonly #child: ChildProcess;
  readonly #watchers = new Set<() => void>();

  constructor(name: string, child: ChildProcess, pid: number) {
    this.name = name;
    this.pid = pid;
    this.#child = child;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout = (this.stdout + text).slice(-KEPT_CHARACTERS);
      this.#notify();
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr = (this.stderr + text).slice(-KEPT_CHARACTERS);
      this.#notify();
    });
    // A program that ends while we write to it must not take the test process along (EPIPE).
    child.stdin?.on('error', () => {});
    running.add(this);
    this.exit = new Promise((resolve) => {
      child.on('close', (code, signal) => {
        running.delete(this);
        this.exited = { code, signal };
        this.#notify();
        resolve(this.exited);
      });
    });
  }

  /** Everything it said, stdout first. */
  get output(): string {
    return this.stdout + this.stderr;
  }

  write(text: string): void {
    this.#child.stdin?.write(text);
  }

  closeInput(): void {
    this.#child.stdin?.end();
  }

  /** Waits for `pattern` in what was said from `from` on (a length of `output` taken earlier; stderr-only programs). */
  async waitForOutput(pattern: RegExp, deadlineMs: number = DEADLINE_MS, from = 0): Promise<RegExpMatchArray> {
    let found: RegExpMatchArray | null = null;
    await this.#waitUntil(
      `output matching ${pattern}`,
      () => {
        found = this.output.slice(from).match(pattern);
        return found !== null;
      },
      deadlineMs,
    );
    if (found === null) throw new Error('unreachable: the wait ended without a match');
    return found;
  }

  /** Polls `condition`, giving up as soon as the program ends. */
  async waitUntil(
    what: string,
    condition: () => boolean | Promise<boolean>,
    deadlineMs: number = DEADLINE_MS,
  ): Promise<void> {
    try {
      await eventually(
        what,
        async () => {
          if (this.exited !== undefined) return true;
          return await condition();
        },
        deadlineMs,
      );
    } catch (error) {
      throw this.failure(`${what}: not within ${deadlineMs} ms`, error);
    }
    if (this.exited !== undefined) throw this.failure(`ended while waiting for ${what}`);
  }

  async waitForExit(deadlineMs: number = DEADLINE_MS): Promise<Exit> {
    await this.#waitUntil('its end', () => this.exited !== undefined, deadlineMs);
    return this.exit;
  }

  signal(name: NodeJS.Signals): void {
    if (this.exited === undefined) process.kill(this.pid, name);
  }

  /** SIGTERM, and SIGKILL to its whole group when it does not end in time. */
  async stop(graceMs: number = DEADLINE_MS): Promise<Exit> {
    if (this.exited !== undefined) return this.exited;
    const timer = setTimeout(() => this.killGroup(), graceMs);
    try {
      this.signal('SIGTERM');
      return await this.exit;
    } finally {
      clearTimeout(timer);
    }
  }

  killGroup(): void {
    try {
      process.kill(-this.pid, 'SIGKILL');
    } catch {
      // Gone between our look and our signal.
    }
  }

  /** An error that says what the program did and said last. */
  failure(what: string, cause?: unknown): Error {
    const lines = this.output.trimEnd().split('\n').slice(-SHOWN_LINES).join('\n');
    const state = this.exited === undefined ? 'still running' : `exit ${this.exited.code ?? this.exited.signal}`;
    return new Error(`${this.name} (pid ${this.pid}, ${state}): ${what}\n--- last output\n${lines}\n---`, { cause });
  }

  #notify(): void {
    for (const watcher of this.#watchers) watcher();
  }

  /** Like waitUntil, but woken by output and by the end instead of by a clock. */
  async #waitUntil(what: string, condition: () => boolean, deadlineMs: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const finish = (error?: Error) => {
        clearTimeout(timer);
        this.#watchers.delete(look);
        if (error === undefined) resolve();
        else reject(error);
      };
      const look = () => {
        if (condition()) finish();
        else if (this.exited !== undefined) finish(this.failure(`ended while waiting for ${what}`));
      };
      const timer = setTimeout(() => finish(this.failure(`no ${what} within ${deadlineMs} ms`)), deadlineMs);
      this.#watchers.add(look);
      look();
    });
  }
}

/** Starts a program. Throws when it cannot be started at all (missing file, no right to run it). */
export async function startProgram(options: ProgramOptions): Promise<Program> {
  const child = spawn(options.command, options.args ?? [], {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.unprivileged === true && UNPRIVILEGED !== undefined ? UNPRIVILEGED : {}),
    env: { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  const pid = child.pid;
  if (pid === undefined) {
    const reason = await new Promise<Error>((resolve) => child.once('error', resolve));
    throw new Error(`${options.name}: cannot start ${options.command}`, { cause: reason });
  }
  child.on('error', () => {});
  return new Program(options.name, child, pid);
}

/** Runs a program to its end; rejects unless it exits 0. */
export async function runProgram(options: ProgramOptions, deadlineMs?: number): Promise<Program> {
  const program = await startProgram(options);
  program.closeInput();
  const exit = await program.waitForExit(deadlineMs);
  if (exit.code !== 0) throw program.failure('it failed');
  return program;
}
