// What happens, as it happens: nodes that go and come, changes of the configuration, shards.

import { type BalancerEvent, useEvents } from '../api/events.ts';
import { PageHeading } from '../parts/heading.tsx';
import { EmptyState, Notice } from '../parts/notice.tsx';
import { Time } from '../parts/show.tsx';

const everything = () => true;

export function EventsPage() {
  const { events, isConnected } = useEvents(everything);
  return (
    <>
      <PageHeading title="Events" />
      {!isConnected && <Notice kind="warning">Not connected; trying again.</Notice>}
      {events.length === 0 && (
        <EmptyState title="Nothing has happened yet">
          <p>Nodes that go down or come back and changes of the configuration appear here as they happen.</p>
        </EmptyState>
      )}
      {events.length > 0 && <EventList events={events} />}
    </>
  );
}

export function EventList({ events }: { readonly events: readonly BalancerEvent[] }) {
  return (
    <ol class="events" aria-live="polite">
      {events.map((event) => (
        <li key={event.id}>
          <span class="event-head">
            <Time time={event.time} /> <span class="tag">{event.kind}</span>
          </span>
          <span>{event.message}</span>
        </li>
      ))}
    </ol>
  );
}
