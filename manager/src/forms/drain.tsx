// A node's way out and back: "Drain" in one click, how many sessions are still to end, and "Accept again". In force at once, apart from
// any form.

import { useState } from 'preact/hooks';
import { setNodeMode } from '../api/nodebalancers.ts';
import type { NodeState } from '../api/plane.ts';
import { refreshPlaneState } from '../api/state.ts';
import type { Mode } from '../api/types.ts';
import { useReadOnlyReason } from '../login.ts';
import { ConfirmDialog } from '../parts/dialog.tsx';
import { Notice } from '../parts/notice.tsx';
import { count } from '../parts/show.tsx';

export interface DrainPlace {
  readonly nodebalancerId: number;
  readonly configId: number;
  /** all nodes of the port: who takes over */
  readonly nodes: readonly NodeState[];
}

interface DrainProps {
  readonly place: DrainPlace;
  readonly node: NodeState;
  /** why it cannot be used now */
  readonly blocked?: string | undefined;
  /** the mode was changed */
  readonly onChanged?: (() => void) | undefined;
}

export function DrainControl({ place, node, blocked, onChanged }: DrainProps) {
  const [asked, setAsked] = useState<Mode>();
  const isReadOnly = useReadOnlyReason() !== undefined;
  const isLeaving = node.mode === 'drain' || node.mode === 'reject';
  const change = async (mode: Mode) => {
    await setNodeMode(place.nodebalancerId, place.configId, node.address, mode);
    refreshPlaneState();
    onChanged?.();
  };
  return (
    <span class="drain">
      {isLeaving && <SessionsLeft node={node} />}
      {!isReadOnly && (
        <button
          type="button"
          class="button small"
          disabled={blocked !== undefined}
          title={blocked}
          aria-label={isLeaving ? `Accept again: ${node.label}` : `Drain ${node.label}`}
          onClick={() => setAsked(isLeaving ? 'accept' : 'drain')}
        >
          {isLeaving ? 'Accept again' : 'Drain'}
        </button>
      )}
      {asked === 'drain' && (
        <ConfirmDialog
          title={`Drain ${node.label}?`}
          action="Drain"
          onConfirm={() => change('drain')}
          onClose={() => setAsked(undefined)}
        >
          <p>
            It gets no new connections but those of clients that stick to it. Its {count(node.sessions, 'session')} may
            end by themselves; you see here how many are left.
          </p>
          {!takesOver(place.nodes, node) && (
            <Notice kind="warning">No other node takes connections: new clients will be turned away.</Notice>
          )}
        </ConfirmDialog>
      )}
      {asked === 'accept' && (
        <ConfirmDialog
          title={`Let ${node.label} accept connections again?`}
          action="Accept again"
          isHarmless
          onConfirm={() => change('accept')}
          onClose={() => setAsked(undefined)}
        >
          <p>Its mode becomes Accept, and it gets its share of new connections.</p>
        </ConfirmDialog>
      )}
    </span>
  );
}

/** Whether another node serves when this one does not. */
function takesOver(nodes: readonly NodeState[], leaving: NodeState): boolean {
  return nodes.some(
    ({ address, mode, health }) =>
      address !== leaving.address && (mode === 'accept' || mode === 'backup') && health !== 'down',
  );
}

/** How far a drain has come, of the most sessions that were seen since somebody looked; and who is left. */
function SessionsLeft({ node: { label, address, sessions } }: { readonly node: NodeState }) {
  const [most, setMost] = useState(sessions);
  if (sessions > most) setMost(sessions);
  if (sessions === 0) return <span class="quiet">Drained: no sessions left</span>;
  const query = new URLSearchParams({ node: address });
  return (
    <span class="sessions-left">
      <a href={`/sessions?${query}`}>{count(sessions, 'session')} left</a>
      <progress max={most} value={most - sessions} aria-label={`Sessions of ${label} that have ended`} />
    </span>
  );
}
