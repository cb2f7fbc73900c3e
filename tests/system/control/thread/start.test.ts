// A control thread that starts: however long that takes, it is not called stuck, for it has not begun to beat.

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ControlStart, FromControl } from '../../../../control/thread/channel.ts';
import { createHeartbeat } from '../../../../control/thread/heartbeat.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../../../../testing/temporary.ts';
import { PACE } from '../../../../workers/pace.ts';

let dataDir: string;
let worker: Worker;
const heartbeat = createHeartbeat();

beforeEach(() => {
  dataDir = makeTemporaryDirectory('start');
  const start: ControlStart = {
    dataDir,
    address: { ip: '127.0.0.1', port: 0 },
    connectionsMax: 16,
    tls: undefined,
    hosts: [],
    region: 'local',
    addresses: [],
    floating: [],
    file: undefined,
    allowFaults: false,
    pace: PACE,
    isTerminal: false,
    heartbeat,
  };
  worker = new Worker(new URL('../../../../control/thread/main.ts', import.meta.url), { workerData: start });
});
afterEach(async () => {
  await worker.terminate();
  removeTemporaryDirectory(dataDir);
});

test('a thread that has opened its store and does not serve yet has not begun to beat', async () => {
  const [message]: FromControl[] = await once(worker, 'message');
  expect(message?.kind).toBe('opened');
  expect(new Float64Array(heartbeat)[0]).toBe(0);
});
