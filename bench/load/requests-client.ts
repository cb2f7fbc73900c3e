// Program: small requests in a closed or an open loop. `requests-client.ts OPTIONS` (RequestLoad as JSON); it says `ready`, waits for
// `go`, answers with one line of JSON (WireResult), and ends with its input.

import { encodeLatency } from '../latency.ts';
import { say, waitForEnd, waitForGo } from './control.ts';
import { connectionsMax, Engine } from './engine.ts';
import { orFail } from './failure.ts';
import { rehearsalSlots, rehearse } from './rehearsal.ts';
import { RequestLoop } from './request-loop.ts';
import type { RequestLoad, WireResult } from './requests.ts';

const BUFFER_BYTES = 65_536;
/** Connections under way at once in an open loop of new ones, where nothing else limits them. */
const OPEN_LOOP_SLOTS_MAX = 16_384;

function slotsFor({ connections, newConnections, ratePerSecond, seconds }: RequestLoad): number {
  if (!newConnections || ratePerSecond === undefined) return connections;
  return Math.max(1, Math.min(OPEN_LOOP_SLOTS_MAX, connectionsMax(), Math.ceil(ratePerSecond * seconds)));
}

function main(): void {
  const load: RequestLoad = JSON.parse(process.argv[2] ?? '{}');
  const { port, seconds, newConnections, ratePerSecond = 0, path = '/small', clientAddresses = 1 } = load;
  const slots = slotsFor(load);
  const engine = new Engine(slots + rehearsalSlots(slots, newConnections), BUFFER_BYTES);
  const loop = new RequestLoop(engine, { path, slots, newConnections });
  rehearse(engine, loop, ratePerSecond > 0);
  loop.reset(engine.placeAddress(port));
  if (clientAddresses > 1) engine.useSources(clientAddresses);
  if (!newConnections) loop.connect();
  waitForGo();
  loop.run({ seconds, ratePerSecond });
  say(JSON.stringify(resultOf(loop)));
}

function resultOf({
  connections,
  requests,
  bytes,
  errors,
  firstError,
  microseconds,
  latency,
}: RequestLoop): WireResult {
  return {
    connections,
    requests,
    bytes,
    errors,
    microseconds,
    latency: encodeLatency(latency),
    ...(errors === 0 ? {} : { firstError }),
  };
}

orFail('requests', main);
waitForEnd();
