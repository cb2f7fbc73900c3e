// How the process ends: drained and in order, at once, or because something is wrong that it cannot mend. Each way is bounded in time.

import type { ControlHost } from '../control/thread/host.ts';
import type { Logger } from '../workers/logger.ts';
import type { Pace } from '../workers/pace.ts';
import type { Supervisor } from '../workers/supervisor.ts';
import { EXIT_FAILURE, EXIT_OK } from './exit.ts';
import type { Messages } from './messages.ts';
import type { ProcessSettings } from './settings.ts';
import { counted } from './units.ts';

/** What has to be ended. */
export interface Running {
  readonly supervisor: Supervisor;
  readonly control: ControlHost | undefined;
  readonly pace: Pace;
  readonly messages: Messages;
}

/** @returns exit code */
export async function drainAndStop(running: Running, settings: ProcessSettings, signal: string): Promise<number> {
  const { supervisor, control } = running;
  const { drainDelayMs, drainTimeoutMs } = settings;
  // First of all, so that whoever sends clients here has the whole delay to send them elsewhere.
  control?.setReadiness('draining');
  say(
    running,
    `${signal}: draining, ${counted(supervisor.shards.live(), 'session')}, at most ${drainDelayMs + drainTimeoutMs} ms`,
  );
  await new Promise((resolve) => setTimeout(resolve, drainDelayMs));
  const left = await supervisor.drain(drainTimeoutMs);
  endInTime(running);
  await stopAll(running);
  say(
    running,
    left === 0 ? 'all sessions have ended' : `the drain deadline has passed: ${counted(left, 'session')} cut`,
  );
  return EXIT_OK;
}

/** @returns exit code */
export async function stopAtOnce(running: Running, signal: string): Promise<number> {
  running.control?.setReadiness('draining');
  say(running, `${signal}: stopping at once, ${counted(running.supervisor.shards.live(), 'session')} cut`);
  endInTime(running);
  await stopAll(running);
  return EXIT_OK;
}

export async function stopAll({ supervisor, control }: Omit<Running, 'messages'>): Promise<void> {
  await Promise.all([supervisor.stop(), control?.stop()]);
}

function say({ supervisor }: Running, message: string): void {
  supervisor.events.tell('info', { kind: 'lifecycle', message });
}

/** A process that does not get done with stopping is ended. */
function endInTime(running: Running): void {
  setTimeout(() => endNow(running, EXIT_FAILURE), running.pace.endMs);
}

/**
 * Without waiting for whatever may still hold the event loop: an access log that nobody reads, a
 * look-up without an answer. Sessions whose shard is stuck or dead are still open then, and their
 * streams shall not look complete.
 */
export function endNow({ supervisor, messages }: Running, code: number): never {
  try {
    supervisor.shards.resetCut();
  } catch (error) {
    // The end comes all the same.
    messages.write(`sessions could not be reset: ${error instanceof Error ? error.message : error}\n`);
  }
  return messages.leave(code);
}

export interface Failing {
  /** Arranges the end. */
  endWith: (reason: unknown) => void;
  /** The same, for whoever cannot go on. */
  fail: (reason: unknown) => never;
}

/** The one way out when this thread can no longer do its work. Shards get the word and a moment; then the process ends. */
export function failFast(running: Running, logger: Logger): Failing {
  let isFailing = false;
  const endWith = (reason: unknown): void => {
    if (isFailing) return;
    isFailing = true;
    logger.error(`fatal: ${reason instanceof Error ? reason.stack : reason}`);
    running.supervisor.shards.requestStop();
    endInTime(running);
    void stopAll(running).finally(() => endNow(running, EXIT_FAILURE));
  };
  process.on('uncaughtException', endWith);
  process.on('unhandledRejection', endWith);
  return {
    endWith,
    fail: (reason) => {
      endWith(reason);
      throw new Error('the process ends');
    },
  };
}
