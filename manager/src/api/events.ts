// What happens, as it happens. Read only while somebody looks: browsers open few connections to one server, and tabs in the background
// would take them from the one in front.

import { useEffect, useState } from 'preact/hooks';
import { onRecovery } from './client.ts';

export interface BalancerEvent {
  readonly id: string;
  /** ISO 8601 */
  readonly time: string;
  readonly kind: string;
  readonly message: string;
  /** of kind `node` */
  readonly node?: { readonly nodebalancer: string; readonly port: number; readonly label: string };
}

export interface Events {
  /** newest first */
  readonly events: readonly BalancerEvent[];
  readonly isConnected: boolean;
}

const KEPT = 200;
const RETRY_MS = 5000;

const SAME_CHANGE_MS = 10_000;

/** A change that went through the store is told twice: by the data plane, and then with its revision and author. */
function isToldBy(event: BalancerEvent, other: BalancerEvent): boolean {
  if (event.id === other.id) return true;
  if (!/^revision \d+ by /.test(event.message) || other.kind !== 'configuration') return false;
  return event.message.includes(other.message) && Date.parse(event.time) - Date.parse(other.time) < SAME_CHANGE_MS;
}

function withEvent(old: readonly BalancerEvent[], event: BalancerEvent): readonly BalancerEvent[] {
  return [event, ...old.filter((other) => !isToldBy(event, other))].slice(0, KEPT);
}

/** @param isWanted which events are kept: the same function in every rendering */
export function useEvents(isWanted: (event: BalancerEvent) => boolean): Events {
  const [events, setEvents] = useState<readonly BalancerEvent[]>([]);
  const [isConnected, setConnected] = useState(true);
  useEffect(() => {
    setEvents([]);
    let source: EventSource | undefined;
    let retry: ReturnType<typeof setTimeout> | undefined;
    let frame = 0;
    let waiting: BalancerEvent[] = [];
    const show = () => {
      const fresh = waiting;
      waiting = [];
      setEvents((old) => fresh.reduce(withEvent, old));
    };
    const close = () => {
      clearTimeout(retry);
      source?.close();
      source = undefined;
    };
    const open = () => {
      close();
      if (document.visibilityState === 'hidden') return;
      const own = new EventSource('/balancer/v1/events');
      source = own;
      own.onopen = () => setConnected(true);
      own.onerror = () => {
        setConnected(false);
        // Where the answer was a refusal, the browser does not try again.
        if (own.readyState === EventSource.CLOSED) retry = setTimeout(open, RETRY_MS);
      };
      own.onmessage = (message) => {
        const event: BalancerEvent = { ...JSON.parse(message.data), id: message.lastEventId };
        if (!isWanted(event)) return;
        // At first they come by the hundred: one rendering for all of a frame.
        if (waiting.push(event) === 1) frame = requestAnimationFrame(show);
      };
    };
    open();
    document.addEventListener('visibilitychange', open);
    const endRecovery = onRecovery(open);
    return () => {
      document.removeEventListener('visibilitychange', open);
      endRecovery();
      close();
      cancelAnimationFrame(frame);
    };
  }, [isWanted]);
  return { events, isConnected };
}
