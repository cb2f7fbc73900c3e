// `balancer run -f FILE`: the process from start to end. It ties file, environment, signals and supervisor together; whatever goes
// wrong in this thread ends in one way: log, stop the shards, exit.

import { StatusSocket } from '../control/status-socket.ts';
import type { Config } from '../core/config/model.ts';
import { exitAtOnce } from '../core/linux/process.ts';
import { ListenError } from '../workers/listeners.ts';
import { createLogger, type Logger } from '../workers/logger.ts';
import { preflight } from '../workers/preflight.ts';
import { UnansweredError } from '../workers/shard-thread.ts';
import { takeSnapshot } from '../workers/snapshot.ts';
import { RefusedError, Supervisor } from '../workers/supervisor.ts';
import { readConfigFile } from './config-file.ts';
import { readEnvironment } from './environment.ts';
import { EXIT_CONFIG, EXIT_FAILURE, EXIT_OK, EXIT_USAGE, UsageError } from './exit.ts';
import { listenForFaults } from './faults.ts';
import { parseOptions } from './options.ts';
import { type ProcessSettings, processSettings } from './settings.ts';
import { handleSignals } from './signals.ts';
import { VERSION } from './version.ts';

/** Stopping that takes longer than this is given up: shards have 2 s, a thread that is stuck and the access log the rest. */
const STOP_MS_MAX = 2900;

export async function runRun(args: string[]): Promise<number> {
  const { file } = parseOptions(args, { file: { type: 'string', short: 'f' } });
  if (file === undefined) throw new UsageError('run needs a configuration: balancer run -f FILE');
  const config = readAtStart(file);
  const settings = readSettings(config);
  if (config === undefined) return EXIT_CONFIG;
  if (settings === undefined) return EXIT_USAGE;
  return serve(file, config, settings);
}

function readAtStart(file: string): Config | undefined {
  const reading = readConfigFile(file);
  if ('config' in reading) {
    if (reading.notices !== '') process.stderr.write(`${reading.notices}\n`);
    return reading.config;
  }
  process.stderr.write(`${reading.messages}\n`);
  return undefined;
}

/** Reads the environment even when the file is bad: all mistakes are shown at once. */
function readSettings(config: Config | undefined): ProcessSettings | undefined {
  const { values, errors, warnings } = readEnvironment(process.env);
  for (const message of [...warnings, ...errors]) process.stderr.write(`${message}\n`);
  if (errors.length > 0) return undefined;
  const addresses = (config?.nodebalancers ?? []).map((nb) => nb.configs.length * (nb.ipv6 === null ? 1 : 2));
  const allowFaults = process.env.BALANCER_TEST_FAULTS === '1';
  const settings = processSettings(
    values,
    addresses.reduce((sum, n) => sum + n, 0),
    allowFaults,
  );
  for (const message of settings.warnings) process.stderr.write(`${message}\n`);
  return settings;
}

async function serve(file: string, config: Config, settings: ProcessSettings): Promise<number> {
  const logger = createLogger(settings.logLevel);
  const supervisor = new Supervisor(settings.supervisor, logger);
  const problems = preflight(settings.supervisor.settings, settings.supervisor.accessLog);
  if (problems.length > 0) {
    process.stderr.write(`${problems.join('\n')}\n`);
    return EXIT_CONFIG;
  }
  const { endWith, fail } = failFast(supervisor, logger);
  const ended = Promise.withResolvers<number>();
  supervisor.shards.onHopeless = (reason) => {
    endWith(reason);
  };
  // Before anything may take its time: a signal that nobody handles would end the process.
  handleSignals({
    stop: (signal) => void drainAndStop(supervisor, settings, logger, signal).then(ended.resolve, endWith),
    stopAtOnce: (signal) => void stopAtOnce(supervisor, logger, signal).then(ended.resolve, endWith),
    reload: () => void reload(supervisor, file, logger).catch(endWith),
    reloadTooLate: () => logger.warn('SIGHUP: the process is ending, the file is not read again'),
    reopenLog: () => {
      supervisor.reopenLog();
      logger.info('SIGUSR1: access log opened anew');
    },
    upgrade: () => logger.warn('SIGUSR2: a hot upgrade is not possible yet; nothing changes'),
  });
  try {
    await supervisor.start(config);
  } catch (error) {
    return refuseToStart(supervisor, error, fail);
  }
  if (settings.supervisor.allowFaults) listenForFaults(supervisor, logger);
  const socket = await StatusSocket.open(settings.dataDir, () => takeSnapshot(supervisor.snapshotSource()), logger);
  announce(supervisor, settings);
  const code = await ended.promise;
  await socket?.close();
  // Without waiting for whatever may still hold the event loop: an access log that nobody reads, a look-up without an answer.
  exitAtOnce(code);
}

/** What listens where. */
function announce(supervisor: Supervisor, settings: ProcessSettings): void {
  const { shards, settings: shardSettings } = settings.supervisor;
  const services = supervisor.describe();
  const lines = [
    `balancer ${VERSION}: ${shards} ${shards === 1 ? 'shard' : 'shards'}, up to ${shardSettings.connectionsMax} sessions`,
    ...services.map((line) => `  ${line}`),
    `balancer ready: ${services.length} ${services.length === 1 ? 'address' : 'addresses'}, pid ${process.pid}`,
  ];
  process.stderr.write(`${lines.join('\n')}\n`);
}

/** Nothing was started that must be drained. */
async function refuseToStart(
  supervisor: Supervisor,
  error: unknown,
  fail: (reason: unknown) => never,
): Promise<number> {
  if (!(error instanceof ListenError || error instanceof RefusedError)) return fail(error);
  process.stderr.write(`${error.message}\n`);
  await supervisor.stop();
  return EXIT_CONFIG;
}

async function drainAndStop(supervisor: Supervisor, settings: ProcessSettings, logger: Logger, signal: string) {
  const { drainDelayMs, drainTimeoutMs } = settings;
  logger.info(`${signal}: draining, ${supervisor.shards.live()} sessions, at most ${drainDelayMs + drainTimeoutMs} ms`);
  await new Promise((resolve) => setTimeout(resolve, drainDelayMs));
  const left = await supervisor.drain(drainTimeoutMs);
  endInTime();
  await supervisor.stop();
  logger.info(left === 0 ? 'all sessions have ended' : `the drain deadline has passed: ${left} sessions were cut`);
  return EXIT_OK;
}

async function stopAtOnce(supervisor: Supervisor, logger: Logger, signal: string) {
  logger.info(`${signal}: stopping at once, ${supervisor.shards.live()} sessions are cut`);
  endInTime();
  await supervisor.stop();
  return EXIT_OK;
}

async function reload(supervisor: Supervisor, file: string, logger: Logger): Promise<void> {
  const reading = readConfigFile(file);
  if (!('config' in reading)) {
    logger.error(`SIGHUP: ${file} is bad, the old configuration stays in force:\n${reading.messages}`);
    return;
  }
  if (reading.notices !== '') logger.warn(reading.notices);
  try {
    const changes = await supervisor.reload(reading.config);
    logger.info(`SIGHUP: ${file} applied, ${changes.length} ${changes.length === 1 ? 'change' : 'changes'}`);
  } catch (error) {
    if (error instanceof UnansweredError) {
      logger.error(`SIGHUP: ${file} may be applied in part: ${error.message}`);
      return;
    }
    if (!(error instanceof ListenError || error instanceof RefusedError)) throw error;
    logger.error(`SIGHUP: the old configuration stays in force:\n${error.message}`);
  }
}

/** A process that does not get done with stopping is ended. */
function endInTime(): void {
  setTimeout(() => exitAtOnce(EXIT_FAILURE), STOP_MS_MAX);
}

interface Failing {
  /** Arranges the end. */
  endWith: (reason: unknown) => void;
  /** The same, for whoever cannot go on. */
  fail: (reason: unknown) => never;
}

/** The one way out when this thread can no longer do its work. Shards get the word and a moment; then the process ends. */
function failFast(supervisor: Supervisor, logger: Logger): Failing {
  let isFailing = false;
  const endWith = (reason: unknown): void => {
    if (isFailing) return;
    isFailing = true;
    logger.error(`fatal: ${reason instanceof Error ? reason.stack : reason}`);
    supervisor.shards.requestStop();
    endInTime();
    void supervisor.stop().finally(() => exitAtOnce(EXIT_FAILURE));
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
