// When a silent peer counts as vanished (tcp(7): TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_USER_TIMEOUT). The same for both sides.

/** How long sent data, or a keepalive probe, may stay unacknowledged: as long as keepalive takes to notice an idle one. */
export function userTimeoutMs(keepaliveSeconds: number): number {
  return keepaliveSeconds * 2 * 1000;
}
