// The world as the product expects it: nodes that check the PROXY header with the strict decoder, listeners with the options that
// openListeners sets.

import { userTimeoutMs } from '../../core/linux/keepalive.ts';
import type { SocketOption } from '../../core/linux/kernel.ts';
import { decodeHeader } from '../../core/proxy-protocol/decode.ts';
import type { HeaderCheck } from './ledger.ts';
import { addressOf, formatAddress } from './network.ts';
import type { Scenario } from './scenario.ts';
import type { WorldOptions } from './world.ts';

const KEEPALIVE_SECONDS = 10;

/** What openListeners sets on a listening socket and Linux copies to those accepted from it. */
const LISTENER_OPTIONS: ReadonlyMap<SocketOption, number> = new Map([
  ['oob-inline', 1],
  ['no-delay', 1],
  ['keepalive', 1],
  ['keepalive-idle-s', KEEPALIVE_SECONDS],
  ['keepalive-interval-s', KEEPALIVE_SECONDS],
  ['user-timeout-ms', userTimeoutMs(KEEPALIVE_SECONDS)],
]);

function headerCheck(scenario: Scenario): HeaderCheck | undefined {
  if (scenario.proxyHeader === 'none') return undefined;
  const version = scenario.proxyHeader === 'v1' ? 1 : 2;
  return (received) => {
    const decoded = decodeHeader(received);
    if (decoded.kind === 'incomplete') return { kind: 'more' };
    if (decoded.kind === 'rejected') return { kind: 'wrong', why: decoded.detail };
    if (decoded.version !== version) return { kind: 'wrong', why: `version ${decoded.version}` };
    const { source, headerBytes } = decoded;
    return {
      kind: 'done',
      bytes: headerBytes,
      source: source && formatAddress(addressOf(source.ip, source.port)),
    };
  };
}

export const WORLD: WorldOptions = { headerCheck, listenerOptions: LISTENER_OPTIONS, arenaBytes: 1 << 21 };
