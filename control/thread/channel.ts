// What the main thread and the control thread say to each other. The control thread reads the shards' memory by itself; it asks the
// main thread only to change something, and is told what it cannot see: the plan, the process's readiness, what happened.

import type { Config } from '../../core/config/model.ts';
import type { Pace } from '../../workers/pace.ts';
import type { ShardSlot } from '../../workers/session-list.ts';
import type { SharedMemories } from '../../workers/shared-memories.ts';
import type { SnapshotSource } from '../../workers/snapshot.ts';
import type { EffectiveSetting, PlaneEvent, Readiness } from '../data-plane.ts';

/** What the control thread is started with. */
export interface ControlTask {
  readonly dataDir: string;
  /** where the API listens */
  readonly address: { readonly ip: string; readonly port: number };
  /** how many connections it may have there at a time */
  readonly connectionsMax: number;
  /** PEM texts: HTTPS instead of HTTP */
  readonly tls: { readonly certificate: string; readonly key: string } | undefined;
  /** names under which the API may be asked, besides addresses and localhost */
  readonly hosts: readonly string[];
  readonly region: string;
  readonly addresses: readonly string[];
  readonly floating: readonly string[];
  /** the configuration file that is the only truth of the process; undefined when the store is */
  readonly file: string | undefined;
  readonly allowFaults: boolean;
  readonly pace: Pace;
  /** stderr is one: what is printed there is seen, and kept by nobody */
  readonly isTerminal: boolean;
}

/** The same, and where the thread is to show that it comes round: see heartbeat.ts. */
export interface ControlStart extends ControlTask {
  readonly heartbeat: SharedArrayBuffer;
}

/** Whether the store or a file has it: what is in force. */
export interface PlanView {
  readonly frontends: SnapshotSource['frontends'];
  readonly services: SnapshotSource['services'];
  readonly config: Config;
  /** by row; those that are gone and may still have sessions are among them */
  readonly frontendNames: ReadonlyMap<number, { readonly label: string; readonly port: number }>;
  readonly nodeNames: ReadonlyMap<number, { readonly label: string; readonly address: string }>;
}

/** The data plane at the moment in which a control thread begins to serve. */
export interface PlaneState {
  readonly memories: SharedMemories;
  readonly startedMs: number;
  readonly connectionsMax: number;
  readonly settings: readonly EffectiveSetting[];
  readonly readiness: Readiness;
  readonly isReloadGood: boolean;
  readonly plan: PlanView;
}

/** How a change went. `refused`: nothing of it is in force; `failed`: nobody knows. */
export type ChangeAnswer =
  | { readonly kind: 'applied'; readonly changes: readonly string[] }
  | { readonly kind: 'refused'; readonly message: string; readonly listen: ListenPlace | undefined }
  | { readonly kind: 'failed'; readonly message: string };

/** What keeps the control plane from starting as it should, as a sentence for the operator. */
export interface StartProblem {
  readonly message: string;
  /** it may go by itself: somebody else's port or store, an address that is not there yet */
  readonly isTemporary: boolean;
}

/** An address that could not be listened on. */
export interface ListenPlace {
  readonly ip: string;
  readonly port: number;
}

export type KillAnswer =
  | { readonly kind: 'killed'; readonly sessions: number }
  | { readonly kind: 'failed'; readonly message: string };

/** What changes of the data plane. */
export type ToPlane =
  | { kind: 'plan'; plan: PlanView }
  | { kind: 'readiness'; readiness: Readiness }
  | { kind: 'reload'; isGood: boolean }
  | { kind: 'event'; event: PlaneEvent }
  | { kind: 'answer'; id: number; answer: ChangeAnswer | KillAnswer };

export type ToControl =
  | ToPlane
  | { kind: 'serve'; state: PlaneState }
  | { kind: 'fault'; fault: ControlFault }
  /** close everything and end */
  | { kind: 'stop' };

export type FromControl =
  /** the store is open, and this is what it holds */
  | { kind: 'opened'; config: Config; revision: number }
  /** there is no use in starting again: the store cannot be opened */
  | { kind: 'unusable'; problem: StartProblem }
  /** the API listens; `problem`: not at its address, for this reason */
  | { kind: 'serving'; problem: StartProblem | undefined }
  /** for the operator, whatever the log level */
  | { kind: 'notice'; text: string }
  | { kind: 'apply'; id: number; config: Config }
  | { kind: 'kill'; id: number; owners: readonly ShardSlot[] }
  | { kind: 'log'; level: 'debug' | 'info' | 'warn' | 'error'; message: string };

/**
 * Ways in which a test may make the control thread fail, where that was allowed at start. `throw-before-write`: at the next change,
 * when it is in force and not yet written.
 */
export const CONTROL_FAULTS = ['throw', 'out-of-memory', 'block', 'throw-before-write'] as const;
export type ControlFault = (typeof CONTROL_FAULTS)[number];
