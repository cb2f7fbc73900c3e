// The operations that scenario `micro` times: their ids, which are metric ids, and what they are called. Only names: whoever lists
// metrics must not have to load the core of any tree. What each one does stands in the file of its part.

export const ARMED_TIMERS = 10_000;

export const OPERATIONS = [
  { id: 'encodeV1Ipv4', label: 'encode a v1 header, IPv4' },
  { id: 'encodeV2Ipv4', label: 'encode a v2 header, IPv4' },
  { id: 'encodeV2Ipv6', label: 'encode a v2 header, IPv6' },
  { id: 'encodeV2Crc32c', label: 'encode a v2 header with crc32c, IPv4' },
  { id: 'decodeV1', label: 'decode a v1 header, IPv4' },
  { id: 'decodeV2', label: 'decode a v2 header, IPv4' },
  { id: 'chooseRoundRobin3', label: 'choose by round robin, 3 nodes' },
  { id: 'chooseRoundRobin30', label: 'choose by round robin, 30 nodes' },
  { id: 'chooseRoundRobin300', label: 'choose by round robin, 300 nodes' },
  { id: 'chooseLeastConnections3', label: 'choose by least connections, 3 nodes' },
  { id: 'chooseLeastConnections30', label: 'choose by least connections, 30 nodes' },
  { id: 'chooseLeastConnections300', label: 'choose by least connections, 300 nodes' },
  { id: 'chooseSource3', label: 'choose by source, 3 nodes' },
  { id: 'chooseSource30', label: 'choose by source, 30 nodes' },
  { id: 'chooseSource300', label: 'choose by source, 300 nodes' },
  { id: 'takeGiveSlot', label: 'take a slot of the session table, give one back' },
  { id: 'timerArm', label: 'arm a timer that is already armed' },
  { id: 'timerAdvance', label: 'advance the timer wheel by a tick, 10,000 armed' },
  { id: 'counterAdd', label: 'add to a counter' },
  { id: 'histogramRecord', label: 'record a value in a histogram' },
] as const satisfies readonly { id: string; label: string }[];

export type OperationId = (typeof OPERATIONS)[number]['id'];

export interface Operation {
  /** Throws unless what it does is right: work that gives garbage has no figures. Runs once, before any timing. */
  check(): void;
  /**
   * Does it `count` times, with inputs that differ from one to the next. The loop is in here and not around it, so that each
   * operation's loop is compiled with that operation alone in it.
   * @returns a number made of every result, so that the compiler can leave out none
   */
  batch(count: number): number;
}

export type Operations = Partial<Record<OperationId, Operation>>;
