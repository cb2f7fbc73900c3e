// The latest events of one NodeBalancer, as they happen.

import { useCallback } from 'preact/hooks';
import { type BalancerEvent, useEvents } from '../api/events.ts';
import { EventList } from './events.tsx';

const SHOWN = 8;

export function RecentEvents({ label }: { readonly label: string }) {
  const isWanted = useCallback((event: BalancerEvent) => concerns(event, label), [label]);
  const { events } = useEvents(isWanted);
  return (
    <section class="panel">
      <div class="page-head">
        <h2>Recent Events</h2>
        <a href="/events">All events</a>
      </div>
      {events.length === 0 ? (
        <p class="quiet">None since the balancer was started.</p>
      ) : (
        <EventList events={events.slice(0, SHOWN)} />
      )}
    </section>
  );
}

/** A change of the configuration names what it changes: `web: label …`, `web port 80: …`. */
function concerns({ kind, message, node }: BalancerEvent, label: string): boolean {
  if (node !== undefined) return node.nodebalancer === label;
  if (kind !== 'configuration') return false;
  return [`${label}: `, `${label} port `].some((begin) => message.startsWith(begin) || message.includes(` ${begin}`));
}
