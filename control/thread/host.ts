// The main thread's end of the control plane: starts the control thread, answers it, tells it what it cannot see, and starts it again
// when it dies. Sessions never wait for it: without it there is no API for a while, and that is all.

import type { Config } from '../../core/config/model.ts';
import type { LoggedEvent } from '../../workers/event-log.ts';
import type { Logger } from '../../workers/logger.ts';
import type { Supervisor } from '../../workers/supervisor.ts';
import type { EffectiveSetting, Readiness } from '../data-plane.ts';
import { Answerer } from './answerer.ts';
import type {
  ControlFault,
  ControlTask,
  FromControl,
  PlaneState,
  PlanView,
  StartProblem,
  ToControl,
} from './channel.ts';
import { ControlThread } from './control-thread.ts';

/** Why there is no control plane, as a sentence for the operator. */
export class ControlError extends Error {
  override readonly name = 'ControlError';
  /** whether it may go by itself */
  readonly isTemporary: boolean;

  constructor({ message, isTemporary }: StartProblem) {
    super(message);
    this.isTemporary = isTemporary;
  }
}

/** What the control plane serves. */
export interface Served {
  readonly supervisor: Supervisor;
  readonly connectionsMax: number;
  readonly settings: readonly EffectiveSetting[];
}

const PAUSE_MS_MIN = 100;
const PAUSE_MS_MAX = 5000;
/** a thread that lived for so long did not die of what killed the one before it */
const LONG_LIFE_MS = 30_000;

export class ControlHost {
  readonly #task: ControlTask;
  readonly #logger: Logger;
  #thread: ControlThread | undefined;
  #served: Served | undefined;
  #answerer: Answerer | undefined;
  #readiness: Readiness = 'starting';
  #isReloadGood = true;
  #pauseMs = PAUSE_MS_MIN;
  #restart: NodeJS.Timeout | undefined;
  #isStopping = false;
  /** the thread's own word, where it had time for one */
  #deathReason: string | undefined;
  /** a first start fails loudly; after that, whatever happens is a death like any other */
  #hasServed = false;
  readonly #opened = Promise.withResolvers<Config>();
  readonly #serving = Promise.withResolvers<StartProblem | undefined>();

  constructor(task: ControlTask, logger: Logger) {
    this.#task = task;
    this.#logger = logger;
    for (const { promise } of [this.#opened, this.#serving]) promise.catch(() => {});
  }

  /** Starts the thread. @returns the stored configuration @throws ControlError when there is none to be had */
  open(): Promise<Config> {
    this.#start();
    return this.#opened.promise;
  }

  /**
   * Lets it serve this data plane, which may start later: changes wait until it is ready.
   * @returns undefined, or why the API does not listen at its address; it does in any case at its socket in the data directory
   * @throws ControlError when it died instead
   */
  serve(served: Served): Promise<StartProblem | undefined> {
    const { supervisor } = served;
    this.#served = served;
    this.#answerer = new Answerer(supervisor);
    supervisor.onPlan = () => this.#post({ kind: 'plan', plan: planOf(supervisor) });
    supervisor.events.onEvent = (event) => this.#tell(event);
    this.#postState(served);
    return this.#serving.promise;
  }

  /** The end is final. */
  setReadiness(readiness: Readiness): void {
    if (this.#readiness === 'draining') return;
    this.#readiness = readiness;
    this.#answerer?.setReadiness(readiness);
    this.#post({ kind: 'readiness', readiness });
  }

  /** How the file was taken when it was read again. */
  setReload(isGood: boolean): void {
    this.#isReloadGood = isGood;
    this.#post({ kind: 'reload', isGood });
  }

  inject(fault: ControlFault): void {
    this.#post({ kind: 'fault', fault });
  }

  /** Ends the thread. @returns when it has closed what it held */
  async stop(): Promise<void> {
    this.#isStopping = true;
    clearTimeout(this.#restart);
    await this.#thread?.stop();
  }

  #start(): void {
    const startedMs = performance.now();
    const thread = new ControlThread(this.#task, (message) => this.#receive(thread, message));
    this.#thread = thread;
    void thread.ended.then((reason) => this.#died(reason, performance.now() - startedMs));
  }

  #died(reason: string, livedMs: number): void {
    this.#thread = undefined;
    const why = this.#deathReason ?? reason;
    this.#deathReason = undefined;
    if (this.#isStopping) return;
    if (!this.#hasServed) return this.#fail({ message: `the control thread cannot start: ${why}`, isTemporary: false });
    if (livedMs > LONG_LIFE_MS) this.#pauseMs = PAUSE_MS_MIN;
    this.#logger.error(`the control thread died: ${why}; it starts again in ${this.#pauseMs} ms`);
    this.#restart = setTimeout(() => this.#start(), this.#pauseMs);
    this.#pauseMs = Math.min(2 * this.#pauseMs, PAUSE_MS_MAX);
  }

  #fail(problem: StartProblem): void {
    const error = new ControlError(problem);
    this.#opened.reject(error);
    this.#serving.reject(error);
  }

  #receive(thread: ControlThread, message: FromControl): void {
    switch (message.kind) {
      case 'opened':
        return this.#storeOpened(message.config, message.revision);
      case 'unusable':
        return this.#unusable(message.problem);
      case 'serving':
        return this.#isServing(message.problem);
      case 'notice':
        return this.#logger.say(message.text);
      case 'apply':
        return void this.#answer(thread, message.id, this.#answerer?.apply(message.config));
      case 'kill':
        return void this.#answer(thread, message.id, this.#answerer?.kill(message.owners));
      case 'log':
        return this.#logger[message.level](message.message);
    }
  }

  #storeOpened(config: Config, revision: number): void {
    this.#opened.resolve(config);
    const served = this.#served;
    if (served === undefined) return;
    this.#postState(served);
    if (this.#task.file === undefined) void this.#applyStored(config, revision);
  }

  /** A thread that died between a change and its write has left a configuration in force that is not the stored one. */
  async #applyStored(config: Config, revision: number): Promise<void> {
    const answer = await this.#answerer?.apply(config);
    if (answer === undefined || answer.kind === 'applied' || this.#readiness === 'draining') return;
    this.#logger.error(`the stored configuration (revision ${revision}) is not in force: ${answer.message}`);
  }

  #unusable(problem: StartProblem): void {
    if (this.#hasServed) this.#deathReason = problem.message;
    else this.#fail(problem);
  }

  #isServing(problem: StartProblem | undefined): void {
    if (this.#hasServed) this.#logger.info('the control thread serves again');
    if (this.#hasServed && problem !== undefined) this.#logger.warn(problem.message);
    this.#hasServed = true;
    this.#serving.resolve(problem);
  }

  /** To the thread that asked: its successor has nothing to do with it. */
  async #answer(thread: ControlThread, id: number, answering: ReturnType<Answerer['apply' | 'kill']> | undefined) {
    const answer = await answering;
    if (answer !== undefined) thread.post({ kind: 'answer', id, answer });
  }

  #postState({ supervisor, connectionsMax, settings }: Served): void {
    const { startedMs } = supervisor.snapshotSource();
    const state: PlaneState = {
      memories: supervisor.shards.memories,
      startedMs,
      connectionsMax,
      settings,
      readiness: this.#readiness,
      isReloadGood: this.#isReloadGood,
      plan: planOf(supervisor),
    };
    this.#post({ kind: 'serve', state });
  }

  #tell(event: LoggedEvent): void {
    this.#post({ kind: 'event', event: { time: new Date().toISOString(), ...event } });
  }

  #post(message: ToControl): void {
    this.#thread?.post(message);
  }
}

function planOf(supervisor: Supervisor): PlanView {
  const { frontends, services } = supervisor.snapshotSource();
  const names = supervisor.names();
  return {
    frontends,
    services,
    config: supervisor.config,
    frontendNames: new Map([...names.frontends].map(([row, { label, port }]) => [row, { label, port }])),
    nodeNames: new Map([...names.nodes].map(([row, { label, address }]) => [row, { label, address }])),
  };
}
