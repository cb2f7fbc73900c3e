// Short-lived traffic for the tests of the process: one request, a steady flow of them, and clients that are turned away. They
// go through an echo node; failures are kept, and what they mean is the test's business.

import { connect, type TcpNetConnectOpts } from 'node:net';
import { Peer } from '../../../testing/peer.ts';
import { LOOPBACK_IPV4 } from '../../../testing/ports.ts';
import { eventually } from '../../../testing/process.ts';

/** Past this many there is nothing more to learn. */
const FAILURES_MAX = 1000;

export interface LoadResult {
  served: number;
  /** each with what happened to it */
  failures: string[];
}

/** Short connections, some at a time, one after the other, for as long as the test likes. */
export class ShortConnections {
  served = 0;
  readonly failures: string[] = [];
  #isRunning = true;
  readonly #done: Promise<unknown>;

  constructor(port: number, atOnce: number) {
    this.#done = Promise.all(Array.from({ length: atOnce }, (_, i) => this.#run(port, i)));
  }

  /** Resolves when `count` more have been served, or have failed. */
  async serves(count: number): Promise<void> {
    const ended = () => this.served + this.failures.length;
    const goal = ended() + count;
    await eventually(`${count} more short connections`, () => ended() >= goal);
  }

  async stop(): Promise<LoadResult> {
    this.#isRunning = false;
    await this.#done;
    return { served: this.served, failures: this.failures };
  }

  async #run(port: number, worker: number): Promise<void> {
    for (let i = 0; this.#isRunning; i++) {
      try {
        await askOnce(port, `request ${worker}-${i}`);
        this.served++;
      } catch (error) {
        this.failures.push(`${error instanceof Error ? error.message : error}`);
        if (this.failures.length > FAILURES_MAX) return;
      }
    }
  }
}

/**
 * A client that is turned away. Node.js may learn of the reset before it has told of the connection: both are the same here.
 * @returns the error's code, or `FIN`
 */
export function turnedAway(options: TcpNetConnectOpts): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(options);
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(`${error.code}`));
    socket.on('end', () => resolve('FIN'));
    socket.resume();
  });
}

/** One request through an echo node, from connect to the last FIN. @throws when the answer is not exactly the request */
export async function askOnce(port: number, text: string, host: string = LOOPBACK_IPV4): Promise<void> {
  const client = await Peer.connect({ host, port });
  try {
    await client.send(text);
    await client.fin();
    const answer = (await client.recvAll()).toString();
    if (answer !== text) throw new Error(`sent ${JSON.stringify(text)}, got ${JSON.stringify(answer)}`);
  } finally {
    client.destroy();
  }
}
