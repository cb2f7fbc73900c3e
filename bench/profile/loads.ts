// The loads under which a contender is profiled: those of the scenarios of the same names, for as long as they are wanted. A load
// says how much it did, because counts of system calls mean something only per connection, request or MiB.

import type { RunningContender } from '../contender.ts';
import { startBulk } from '../load/bulk.ts';
import { runHttpLoad } from '../load/http.ts';
import type { Scale } from '../options.ts';

const MIB = 1024 * 1024;

export interface ProfileLoad {
  /** of the scenario */
  name: string;
  describe(scale: Scale): string;
  /** what is counted */
  unit: string;
  /** @returns how many units were done */
  run(running: RunningContender, scale: Scale, seconds: number): Promise<number>;
}

export const PROFILE_LOADS: readonly ProfileLoad[] = [
  {
    name: 'new',
    describe: ({ newConnectionsAtOnce }) => `new connections, one request each, ${newConnectionsAtOnce} at a time`,
    unit: 'connection',
    run: (running, scale, seconds) => request(running, scale.newConnectionsAtOnce, seconds, true),
  },
  {
    name: 'keepalive',
    describe: ({ keepaliveConnections }) => `requests over ${keepaliveConnections} kept connections`,
    unit: 'request',
    run: (running, scale, seconds) => request(running, scale.keepaliveConnections, seconds, false),
  },
  {
    name: 'bulk',
    describe: (scale) => `${streamsEachWay(scale)} streams towards the client and as many towards the node`,
    unit: 'MiB',
    run: moveBytes,
  },
];

async function request(
  { httpPort }: RunningContender,
  connections: number,
  seconds: number,
  newConnections: boolean,
): Promise<number> {
  const url = `http://127.0.0.1:${httpPort}/small`;
  const { requests, errors } = await runHttpLoad({ url, connections, seconds, newConnections });
  if (requests === 0 || errors > 0) throw new Error(`${requests} requests answered, ${errors} errors`);
  return requests;
}

/** As many streams in all as the scenario has at most. */
function streamsEachWay({ bulkStreams }: Scale): number {
  return Math.ceil(Math.max(...bulkStreams) / 2);
}

async function moveBytes(running: RunningContender, scale: Scale, seconds: number): Promise<number> {
  const load = await startBulk({
    httpPort: running.httpPort,
    sinkPort: running.sinkPort,
    downStreams: streamsEachWay(scale),
    upStreams: streamsEachWay(scale),
    bytesPerStream: scale.bulkBytesPerStream,
    repeat: true,
  });
  load.go();
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  load.stop();
  const { down, up } = await load.finished();
  return [...down, ...up].reduce((sum, bytes) => sum + bytes, 0) / MIB;
}
