// What an operator may tune on the data path: the numbers, in their units, as a shard gets them. Where they come from (flags,
// environment, defaults) is the command line's business.

export interface ShardSettings {
  /** live sessions of all shards together */
  connectionsMax: number;
  connectTimeoutMs: number;
  /** further attempts after the first */
  connectRetries: number;
  idleTimeoutMs: number;
  halfClosedTimeoutMs: number;
  lingerTimeoutMs: number;
  keepaliveSeconds: number;
  /** bytes per read when copying */
  bufferBytes: number;
  /** sessions that must have something to copy at once for several of them to be served by one call; 0: never */
  batchFrom: number;
  splice: 'auto' | 'on' | 'off';
  /** bytes of big reads in a row after which a direction is spliced */
  spliceAfterBytes: number;
  /** bytes that must lie in the socket of a long transfer before the shard is woken for them; 0: any */
  lowWaterBytes: number;
  /** bytes that must have come, since the mark was last lowered, for a transfer to be a long one */
  lowWaterAfterBytes: number;
  pipeBytes: number;
  /** pipes of one shard */
  pipes: number;
  /** memory for bytes that a socket did not take and no pipe could hold */
  spillBytes: number;
  /** congestion control towards nodes; empty: the system's */
  backCongestion: string;
  /** 16 bytes each; local addresses for connections to nodes, taken in turn */
  sourceAddresses: readonly Uint8Array[];
  /** from here on a connect to this host may meet itself */
  ephemeralPortMin: number;
  /** client addresses that stickiness and the throttle remember, each */
  clientTableEntries: number;
  /** IPv6 clients are throttled by networks of this prefix length */
  throttleIpv6Prefix: number;
  /** ended sessions are written to the log ring */
  logSessions: boolean;
}
