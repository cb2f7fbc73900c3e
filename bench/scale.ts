// How much work one measurement does, by scale. The sizes follow from the time that a whole run may take with all scenarios and four
// contenders: `full` about 45 minutes, `quick` under 90 seconds (on a slow day, too), `tiny` a second or two per contender and scenario.

/** How much work one measurement does. `tiny` is for the test that keeps the benchmark from rotting: no figures to quote. */
export interface Scale {
  name: string;
  rounds: number;
  /** Peers that are measured only when the command line names them. */
  peersOnlyWhenNamed: readonly string[];
  /**
   * The same load before each measurement, for every contender alike. A balancer runs for months, and ours is compiled while it runs: of
   * a saturated CPU the compiler took 6.5 % in the first three seconds, 2.7 % in the next, then 0.6 % and less. What this start costs is
   * shown for itself.
   */
  warmUpSeconds: number;
  httpSeconds: number;
  newConnectionsAtOnce: number;
  keepaliveConnections: number;
  /** The open loop sends at these rates whatever comes back. */
  openRequestsPerSecond: number;
  openConnectionsPerSecond: number;
  openSeconds: number;
  /** Numbers of streams at once, each measured for itself. */
  bulkStreams: readonly number[];
  bulkBytesPerStream: number;
  /** Numbers of idle connections at which memory is read, rising. */
  idleSteps: readonly number[];
  /** How long the contender's CPU is watched while they wait. */
  idleSeconds: number;
  churnSeconds: number;
  churnConnectionsPerSecond: number;
  /** Numbers of worker threads, each set against one. */
  shardCounts: readonly number[];
}

const MIB = 1024 * 1024;

export const SCALES = {
  full: {
    name: 'full',
    rounds: 7,
    peersOnlyWhenNamed: [],
    warmUpSeconds: 6,
    httpSeconds: 1,
    newConnectionsAtOnce: 32,
    keepaliveConnections: 64,
    openRequestsPerSecond: 10_000,
    openConnectionsPerSecond: 2000,
    openSeconds: 1,
    bulkStreams: [1, 8],
    bulkBytesPerStream: 128 * MIB,
    idleSteps: [2000, 5000],
    idleSeconds: 0.5,
    churnSeconds: 1,
    churnConnectionsPerSecond: 500,
    shardCounts: [2],
  },
  quick: {
    name: 'quick',
    rounds: 1,
    // Nobody has to beat it, and it takes as long as the others.
    peersOnlyWhenNamed: ['node'],
    warmUpSeconds: 0,
    httpSeconds: 1,
    newConnectionsAtOnce: 32,
    keepaliveConnections: 64,
    openRequestsPerSecond: 5000,
    openConnectionsPerSecond: 1000,
    openSeconds: 0.4,
    bulkStreams: [8],
    bulkBytesPerStream: 32 * MIB,
    idleSteps: [100, 300],
    idleSeconds: 0.2,
    churnSeconds: 0.6,
    churnConnectionsPerSecond: 500,
    shardCounts: [2],
  },
  tiny: {
    name: 'tiny',
    rounds: 1,
    peersOnlyWhenNamed: [],
    warmUpSeconds: 0,
    httpSeconds: 1,
    newConnectionsAtOnce: 4,
    keepaliveConnections: 4,
    openRequestsPerSecond: 200,
    openConnectionsPerSecond: 100,
    openSeconds: 1,
    bulkStreams: [1, 2],
    bulkBytesPerStream: 2 * MIB,
    idleSteps: [10, 20],
    idleSeconds: 0.1,
    churnSeconds: 1,
    churnConnectionsPerSecond: 50,
    shardCounts: [2],
  },
} as const satisfies Record<string, Scale>;
