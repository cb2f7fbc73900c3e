// Loaded before each file of the tiers that open sockets: a network of its own for the file's process
// and for all that it starts, so that files which run at the same time cannot meet on a port. Where
// that is not allowed (no root), each worker has a slice of the ports instead: see ../ports.ts.

import { enterOwnNetwork } from '../own-network.ts';

/** What Linux gives a new network: said here because enterOwnNetwork wants to be told. */
const EPHEMERAL_FIRST = 32_768;
const EPHEMERAL_LAST = 60_999;

enterOwnNetwork(EPHEMERAL_FIRST, EPHEMERAL_LAST);
