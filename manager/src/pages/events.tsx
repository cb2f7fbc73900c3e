// What happens, as it happens: nodes that go and come, changes of the configuration, shards.

import { useEffect, useState } from 'preact/hooks';
import { EmptyState, Notice } from '../parts/notice.tsx';
import { Time } from '../parts/show.tsx';

interface BalancerEvent {
  readonly id: string;
  readonly time: string;
  readonly kind: string;
  readonly message: string;
}

const KEPT = 200;

export function EventsPage() {
  const [events, setEvents] = useState<readonly BalancerEvent[]>([]);
  const [isConnected, setConnected] = useState(true);
  useEffect(() => {
    const source = new EventSource('/balancer/v1/events');
    source.onopen = () => setConnected(true);
    source.onerror = () => setConnected(false);
    source.onmessage = (message) => {
      const event = { ...JSON.parse(message.data), id: message.lastEventId };
      setEvents((old) => [event, ...old.filter(({ id }) => id !== event.id)].slice(0, KEPT));
    };
    return () => source.close();
  }, []);
  return (
    <>
      <h1>Events</h1>
      {!isConnected && <Notice kind="warning">Not connected; trying again.</Notice>}
      {events.length === 0 && (
        <EmptyState title="Nothing has happened yet">
          <p>Nodes that go down or come back and changes of the configuration appear here as they happen.</p>
        </EmptyState>
      )}
      {events.length > 0 && (
        <ol class="events" aria-live="polite">
          {events.map((event) => (
            <li key={event.id}>
              <Time time={event.time} /> <span class="tag">{event.kind}</span> {event.message}
            </li>
          ))}
        </ol>
      )}
    </>
  );
}
