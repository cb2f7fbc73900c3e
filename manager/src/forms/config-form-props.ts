// What the form of a config and its parts are given.

import type { ComponentChildren } from 'preact';
import type { ConfigDraft } from './config-draft.ts';
import type { DrainPlace } from './drain.tsx';
import type { FormErrors } from './errors.ts';

/** Nodes that are in force, apart from what is being typed. */
export interface LiveNodes {
  readonly place: DrainPlace;
  /** why a node cannot be drained now */
  readonly blocked: string | undefined;
  readonly onChanged: () => void;
}

export interface ConfigFormProps {
  readonly draft: ConfigDraft;
  readonly onChange: (draft: ConfigDraft) => void;
  readonly errors: FormErrors;
  readonly isReadOnly: boolean;
  /** what is known of nodes that are in force */
  readonly live?: LiveNodes;
  /** beside the Proxy Protocol select: what a node will receive */
  readonly preview?: ComponentChildren;
}
