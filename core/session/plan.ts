// What a shard is told to do: desired state as plain data that can cross a thread border. Rows name counters and stay the same
// for as long as a frontend or node lives; a row that is gone is not reused while a session refers to it.

import type { Frontend, Node } from '../config/model.ts';

export interface NodePlan {
  /** row in the counters, the same in every shard */
  row: number;
  label: string;
  /** as configured; the node's identity for the source policy, whatever its label */
  address: string;
  /** 16 bytes; undefined while its host name has never been resolved: then it is not eligible */
  ip: Uint8Array | undefined;
  port: number;
  weight: number;
  mode: Node['mode'];
  /** 0: no limit */
  maxConnections: number;
  slowStartMs: number;
  proxyProtocol: Frontend['proxy_protocol'];
  /** with v2: a CRC32C in each header */
  hasChecksum: boolean;
}

export interface FrontendPlan {
  row: number;
  label: string;
  port: number;
  algorithm: Frontend['algorithm'];
  /** of nodes that do not say otherwise */
  proxyProtocol: Frontend['proxy_protocol'];
  /** clients return to their node */
  isSticky: boolean;
  /** failed connects of sessions eject a node */
  isPassive: boolean;
  /** failed connects in a row count within this time */
  checkIntervalMs: number;
  /** sessions that may wait while every node has its limit */
  queueSize: number;
  queueTimeoutMs: number;
  /** new connections per second and client address; 0: no limit */
  throttle: number;
  /** row of the nodebalancer, of which all frontends share the throttle */
  throttleRow: number;
  nodes: NodePlan[];
}

export interface ListenerPlan {
  /** a listening socket that this shard accepts from */
  fd: number;
  /** the frontend's row */
  frontend: number;
  /** 16 bytes; `::`, or 0.0.0.0 mapped, where the listener is bound to every address */
  ip: Uint8Array;
  port: number;
}

export interface ShardPlan {
  frontends: FrontendPlan[];
  listeners: ListenerPlan[];
}
