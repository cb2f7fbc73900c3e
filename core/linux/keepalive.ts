// When a silent peer counts as vanished (tcp(7): TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_USER_TIMEOUT). The same for both sides.

const KEEPALIVES_UNANSWERED_MAX = 5;

/**
 * How long sent data, or a keepalive probe, may stay unacknowledged. Not less: Linux counts a peer that is alive but takes nothing
 * (its window stays shut) the same way (tried: such a reader was cut), and a paused download must not die after a minute or two.
 */
export function userTimeoutMs(keepaliveSeconds: number): number {
  return keepaliveSeconds * KEEPALIVES_UNANSWERED_MAX * 1000;
}
