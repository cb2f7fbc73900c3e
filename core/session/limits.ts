// Every fixed limit of the data path, in one place, with its reason. What an operator may tune is a setting (settings.ts).

/** events taken per epoll_wait: enough to amortise the call, few enough to keep one batch under a millisecond or two */
export const EVENTS_PER_WAIT = 256;

/** timers wait for events that may answer them, but not for so many full waits in a row: a flood of events must not stop the clock */
export const FULL_WAITS_MAX = 64;

/** connections accepted per wake of one listener, so that a flood of them cannot starve running sessions */
export const ACCEPTS_PER_WAKE_MAX = 64;

/** a thread must never wait longer: it has a stop flag to read and a heartbeat to give */
export const WAIT_MS_MAX = 500;

/** bytes that one direction may move before the others get their turn */
export const RELAY_BYTES_PER_TURN = 1 << 20;

/** bytes per read of a batch: more than small requests and answers have, and pages are only touched where bytes arrive */
export const BATCH_READ_BYTES = 16384;

/** bytes that big transfers may move together in one turn, which takes some 150 us: one of them at least has its turn */
export const BULK_BYTES_PER_TURN = 1 << 20;

/** how often raised low-water marks are looked at: bytes below one wait for two looks at most */
export const LOW_WATER_LOOK_MS = 2;

/** room before the client's first bytes for a PROXY header with TLVs; the specification's safe size is 536 */
export const HEADER_BYTES_MAX = 4096;

/** what fits one segment on every path: the least MSS that a peer may ask for, where it asks for none (RFC 9293, 3.7.1) */
export const SEGMENT_BYTES_SURE = 536;

/** nodes that one connection remembers as already tried */
export const TRIED_NODES_MAX = 8;

/** rows of counters; a node's or a frontend's row is not reused while a session refers to it */
export const FRONTENDS_MAX = 1024;
export const NODES_MAX = 4096;

/** a listener that cannot accept (out of descriptors, at the connection limit) is looked at again after this long */
export const ACCEPT_PAUSE_MS = 50;

/** wait before a node is tried again by the same connection; doubled each time */
export const RETRY_DELAY_MS = 100;
export const RETRY_DELAY_DOUBLINGS_MAX = 6;

/** how often a side that is about to be reset is asked whether its peer has everything */
export const RESET_POLL_MS = 16;

/** session ends that wait for the log's reader; more are dropped and counted */
export const LOG_RECORDS = 4096;

export const SOURCE_ADDRESSES_MAX = 64;

/** input of a client without a node that is thrown away in one turn */
export const LINGER_BYTES_PER_TURN = 1 << 20;

/** how long a client stays with its node, from its first connection (stickiness table) */
export const STICKY_MS = 30 * 60_000;

/** the throttle counts connections per second */
export const THROTTLE_WINDOW_MS = 1000;

/** a trial of an ejected node is over so long after the connect timeout, even if its client has gone before it ended */
export const TRIAL_GRACE_MS = 1000;

/** share of its weight that a node begins its slow start with, and how often the share is raised */
export const SLOW_START_SHARE_MIN = 0.05;
export const SLOW_START_STEP_MS = 100;

/** how often sessions that wait for a node look for places that other shards have freed */
export const QUEUE_POLL_MS = 10;
