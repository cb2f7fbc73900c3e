// A reader of our messages that goes away must not take the balancer with it: `balancer run … 2>&1 | head`, a logger that is
// restarted, a terminal that is closed.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { BALANCER } from '../../../testing/balancer.ts';
import { Peer, PeerListener } from '../../../testing/peer.ts';
import { freePorts } from '../../../testing/ports.ts';
import { eventually } from '../../../testing/process.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../../../testing/temporary.ts';

test('with stderr gone a reload is obeyed, sessions go on, and TERM ends with 0', async () => {
  const [nodePort = 0, port = 0, added = 0] = await freePorts(3);
  const node = await PeerListener.listen('127.0.0.1', nodePort);
  const folder = makeTemporaryDirectory('broken-stderr');
  const file = join(folder, 'c.yaml');
  const config = (...ports: number[]) =>
    JSON.stringify({
      nodebalancers: [
        {
          label: 'web',
          ipv4: '127.0.0.1',
          configs: ports.map((one) => ({ port: one, nodes: [{ label: 'node', address: `127.0.0.1:${node.port}` }] })),
        },
      ],
    });
  writeFileSync(file, config(port));
  const child = spawn(BALANCER, ['run', '-f', file], {
    env: { ...process.env, BALANCER_DRAIN_TIMEOUT_MS: '500', BALANCER_ADMIN_ADDRESS: 'off' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  try {
    for await (const line of createInterface({ input: child.stderr })) if (line.startsWith('balancer ready')) break;
    const client = await Peer.connect({ host: '127.0.0.1', port });
    const peer = await node.accept();
    child.stderr.destroy();
    writeFileSync(file, config(port, added));
    child.kill('SIGHUP');
    await eventually('the added port', async () => {
      const probe = await Peer.connect({ host: '127.0.0.1', port: added }).catch(() => undefined);
      probe?.destroy();
      return probe !== undefined;
    });
    await client.send(Buffer.from('still here'));
    expect((await peer.recv(10)).toString()).toBe('still here');
    client.destroy();
    const exit = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await exit).toEqual([0, null]);
  } finally {
    child.kill('SIGKILL');
    await node.close();
    removeTemporaryDirectory(folder);
  }
});
