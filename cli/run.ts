// `balancer run [-f FILE]`: the process from start to end. It ties configuration, environment, signals, supervisor and control plane
// together. With a file, that is the configuration and the control plane is a help that may be missing; without one, the store has the
// configuration, and nothing starts without the control plane.

import { flushCompileCache } from 'node:module';
import { isatty } from 'node:tty';
import { DirectoryError, makeDirectory } from '../control/data-directory.ts';
import { StatusSocket } from '../control/status-socket.ts';
import { ControlError, ControlHost } from '../control/thread/host.ts';
import type { Config } from '../core/config/model.ts';
import type { OwnAddresses } from '../core/config/own-ports.ts';
import { raiseDescriptorLimit } from '../core/linux/process.ts';
import { ListenError } from '../workers/listeners.ts';
import { createLogger, type Logger } from '../workers/logger.ts';
import { type PreflightProblem, preflight } from '../workers/preflight.ts';
import { takeSnapshot } from '../workers/snapshot.ts';
import { RefusedError, Supervisor } from '../workers/supervisor.ts';
import { readConfigFile } from './config-file.ts';
import { type ControlSettings, readControlSettings } from './control-settings.ts';
import { effectiveSettings } from './effective-settings.ts';
import { drainAndStop, endNow, failFast, type Running, stopAll, stopAtOnce } from './ending.ts';
import { type Environment, readEnvironment, VARIABLES } from './environment.ts';
import { EXIT_CONFIG, EXIT_TEMPORARY, EXIT_USAGE } from './exit.ts';
import { listenForFaults, readTestSettings } from './faults.ts';
import { Messages, STDERR } from './messages.ts';
import { parseOptions } from './options.ts';
import { adminAddressOf, ownAddresses } from './own-addresses.ts';
import { reload } from './reload.ts';
import { apiConnectionsOf, defaultDataDir, type ForTests, type ProcessSettings, processSettings } from './settings.ts';
import { handleSignals } from './signals.ts';
import { counted } from './units.ts';
import { VERSION } from './version.ts';

/** What the environment says. */
interface Surroundings extends ForTests {
  readonly env: Environment;
  readonly control: ControlSettings;
  readonly messages: Messages;
  readonly logger: Logger;
}

/** Everything that a start needs. */
interface Start extends Surroundings {
  /** undefined when the store has the configuration */
  readonly file: string | undefined;
  readonly config: Config;
  readonly settings: ProcessSettings;
  /** undefined when there is to be none */
  readonly host: ControlHost | undefined;
}

export async function runRun(args: string[]): Promise<number> {
  const { file } = parseOptions(args, { file: { type: 'string', short: 'f' } });
  const messages = new Messages();
  try {
    return messages.leave(await (file === undefined ? runStored(messages) : runFile(file, messages)));
  } catch (error) {
    messages.flush();
    throw error;
  }
}

async function runFile(file: string, messages: Messages): Promise<number> {
  const config = readAtStart(file, ownAddresses(readEnvironment(process.env).values), messages);
  // Even when the file is bad: all mistakes are shown at once.
  const surroundings = readSurroundings(messages);
  if (surroundings === undefined) return config === undefined ? EXIT_CONFIG : EXIT_USAGE;
  const settings = settingsFor(surroundings, config);
  if (config === undefined) return EXIT_CONFIG;
  const host = createHost(surroundings, file);
  return serve({ ...surroundings, file, config, settings, host });
}

async function runStored(messages: Messages): Promise<number> {
  const surroundings = readSurroundings(messages);
  if (surroundings === undefined) return EXIT_USAGE;
  const host = createHost(surroundings, undefined);
  if (host === undefined) {
    messages.write('BALANCER_ADMIN_ADDRESS=off needs a configuration file: balancer run -f FILE\n');
    return EXIT_USAGE;
  }
  const config = await host.open().catch((error) => refuse(error, messages));
  if (typeof config === 'number') {
    await host.stop();
    return config;
  }
  return serve({ ...surroundings, file: undefined, config, settings: settingsFor(surroundings, config), host });
}

function readAtStart(file: string, own: OwnAddresses, messages: Messages): Config | undefined {
  const reading = readConfigFile(file, own);
  if ('config' in reading) {
    if (reading.notices !== '') messages.write(`${reading.notices}\n`);
    return reading.config;
  }
  messages.write(`${reading.messages}\n`);
  return undefined;
}

/** @returns undefined when something in the environment is wrong; stderr says what */
function readSurroundings(messages: Messages): Surroundings | undefined {
  const { values: env, errors, warnings } = readEnvironment(process.env);
  const control = readControlSettings(env);
  const { allowFaults, pace, errors: notForTests } = readTestSettings(process.env);
  const mistakes = [...errors, ...control.errors, ...notForTests];
  for (const message of [...warnings, ...control.warnings, ...mistakes]) messages.write(`${message}\n`);
  if (mistakes.length > 0) return undefined;
  return {
    env,
    control: control.settings,
    allowFaults,
    pace,
    messages,
    logger: createLogger(env.logLevel ?? VARIABLES.logLevel.default, messages.write),
  };
}

function settingsFor({ env, allowFaults, pace, logger }: Surroundings, config: Config | undefined): ProcessSettings {
  const addresses = (config?.nodebalancers ?? []).map((nb) => nb.configs.length * (nb.ipv6 === null ? 1 : 2));
  const settings = processSettings(
    env,
    addresses.reduce((sum, n) => sum + n, 0),
    { allowFaults, pace },
  );
  for (const message of settings.warnings) logger.say(message);
  return settings;
}

function createHost({ env, control, allowFaults, pace, logger }: Surroundings, file: string | undefined) {
  const { address } = control;
  if (address === undefined) return undefined;
  const connectionsMax = apiConnectionsOf(raiseDescriptorLimit());
  const dataDir = env.dataDir ?? defaultDataDir();
  const isTerminal = isatty(STDERR);
  return new ControlHost({ ...control, address, connectionsMax, dataDir, file, allowFaults, pace, isTerminal }, logger);
}

async function serve(start: Start): Promise<number> {
  const { file, host, logger, messages, settings } = start;
  const api = adminAddressOf(start.env);
  const supervisor = new Supervisor({ ...settings.supervisor, api, readsFile: file !== undefined }, logger);
  const running: Running = { supervisor, control: host, pace: start.pace, messages };
  const problems = [...preflight(settings.supervisor.settings, settings.supervisor.accessLog), ...tryDataDir(start)];
  if (problems.length > 0) {
    logger.say(problems.map(({ text }) => text).join('\n'));
    await host?.stop();
    return exitCodeOf(problems);
  }
  const { endWith, fail } = failFast(running, logger);
  const ended = Promise.withResolvers<number>();
  supervisor.shards.onHopeless = (reason) => {
    endWith(reason);
  };
  // Before anything may take its time: a signal that nobody handles would end the process.
  handleSignals({
    stop: (signal) => void drainAndStop(running, settings, signal).then(ended.resolve, endWith),
    stopAtOnce: (signal) => void stopAtOnce(running, signal).then(ended.resolve, endWith),
    reload: () =>
      void reload(supervisor, file, ownAddresses(start.env), logger).then(
        (isGood) => isGood !== undefined && host?.setReload(isGood),
        endWith,
      ),
    reloadTooLate: () => logger.warn('SIGHUP: the process is ending, the configuration is not read again'),
    reopenLog: () => {
      const isAnew = supervisor.reopenLog();
      logger.info(`SIGUSR1: ${isAnew ? 'access log opened anew' : 'there is no file to be opened anew'}`);
    },
    upgrade: () => logger.warn('SIGUSR2: a hot upgrade is not possible yet; nothing changes'),
  });
  try {
    // A signal may come first: then nothing more is begun.
    const code = await Promise.race([startAll(start, supervisor), ended.promise]);
    if (supervisor.isEnding) endNow(running, code ?? (await ended.promise));
  } catch (error) {
    if (!isRefusal(error)) return fail(error);
    const code = refuse(error, messages);
    await stopAll(running);
    return code;
  }
  if (start.allowFaults) listenForFaults(running, logger);
  const socket = await StatusSocket.open(settings.dataDir, () => takeSnapshot(supervisor.snapshotSource()), logger);
  host?.setReadiness('ready');
  announce(supervisor, settings, logger);
  // Now: the end of the process is too abrupt for it.
  flushCompileCache();
  const code = await ended.promise;
  await socket?.close();
  endNow(running, code);
}

/**
 * A directory that the operator has named is there, or there is no start. The one that is used without a word from him may be
 * missing: there is no status socket then, and a warning.
 */
function tryDataDir({ env }: Start): readonly PreflightProblem[] {
  if (env.dataDir === undefined) return [];
  try {
    makeDirectory(env.dataDir);
    return [];
  } catch (error) {
    if (!(error instanceof DirectoryError)) throw error;
    return [{ text: `BALANCER_DATA_DIR: ${error.message}`, isTemporary: error.isTemporary }];
  }
}

/** @throws ControlError, ListenError or RefusedError when there can be no start */
async function startAll(start: Start, supervisor: Supervisor): Promise<void> {
  const { config, file, host, logger, settings } = start;
  const served = {
    supervisor,
    connectionsMax: settings.supervisor.settings.connectionsMax,
    settings: effectiveSettings(settings),
  };
  if (file === undefined) {
    // Before any client is served: a process that nobody can configure does not come up.
    const problem = await host?.serve(served);
    if (problem !== undefined) throw new ControlError(problem);
    return supervisor.start(config);
  }
  await supervisor.start(config);
  if (host === undefined) return;
  try {
    await host.open();
    const problem = await host.serve(served);
    if (problem !== undefined) logger.warn(problem.message);
  } catch (error) {
    if (!(error instanceof ControlError)) throw error;
    logger.warn(`there is no control plane: ${error.message}`);
  }
}

function isRefusal(error: unknown): error is ControlError | ListenError | RefusedError {
  return error instanceof ControlError || error instanceof ListenError || error instanceof RefusedError;
}

/** Says why there is no start. @returns exit code @throws what is no refusal */
function refuse(error: unknown, messages: Messages): number {
  if (!isRefusal(error)) throw error;
  messages.write(`${error.message}\n`);
  return error instanceof RefusedError ? EXIT_CONFIG : exitCodeOf([error]);
}

/** A supervisor starts again after the one, and not after the other: what is wrong for good does not go with the rest. */
function exitCodeOf(problems: readonly { readonly isTemporary: boolean }[]): number {
  return problems.every(({ isTemporary }) => isTemporary) ? EXIT_TEMPORARY : EXIT_CONFIG;
}

/** What listens where. */
function announce(supervisor: Supervisor, settings: ProcessSettings, logger: Logger): void {
  const { shards, settings: shardSettings } = settings.supervisor;
  const services = supervisor.describe();
  const lines = [
    `balancer ${VERSION}: ${counted(shards, 'shard')}, up to ${counted(shardSettings.connectionsMax, 'session')}`,
    ...services.map((line) => `  ${line}`),
    `balancer ready: ${counted(services.length, 'address', 'addresses')}, pid ${process.pid}`,
  ];
  logger.say(lines.join('\n'));
}
