// The things of the API, as it answers them: names and units are the API's.

export type Protocol = 'tcp';
export type Algorithm = 'roundrobin' | 'leastconn' | 'source';
export type Stickiness = 'none' | 'table';
export type Check = 'none' | 'connection' | 'http' | 'http_body';
export type ProxyProtocol = 'none' | 'v1' | 'v2';
export type Mode = 'accept' | 'reject' | 'drain' | 'backup';

export interface NodeBalancer {
  readonly id: number;
  readonly label: string;
  readonly region: string;
  readonly hostname: string;
  readonly ipv4: string;
  readonly ipv6: string | null;
  /** `2026-11-24T02:00:00`, UTC without a zone */
  readonly created: string;
  readonly updated: string;
  readonly client_conn_throttle: number;
  readonly tags: readonly string[];
  /** megabytes of this month */
  readonly transfer: { readonly in: number | null; readonly out: number | null; readonly total: number | null };
}

export interface Config {
  readonly id: number;
  readonly nodebalancer_id: number;
  readonly port: number;
  readonly protocol: Protocol;
  readonly algorithm: Algorithm;
  readonly stickiness: Stickiness;
  readonly check: Check;
  readonly check_interval: number;
  readonly check_timeout: number;
  readonly check_attempts: number;
  readonly check_path: string;
  readonly check_body: string;
  readonly check_passive: boolean;
  readonly proxy_protocol: ProxyProtocol;
  readonly proxy_protocol_crc32c: boolean;
  readonly queue_size: number;
  readonly queue_timeout: number;
  readonly nodes_status: { readonly up: number; readonly down: number };
}

export interface Node {
  readonly id: number;
  readonly config_id: number;
  readonly nodebalancer_id: number;
  readonly label: string;
  readonly address: string;
  readonly status: 'UP' | 'DOWN' | 'Unknown';
  readonly weight: number;
  readonly mode: Mode;
  readonly max_connections: number;
  readonly slow_start: number;
  readonly proxy_protocol: ProxyProtocol | null;
}

/** A NodeBalancer as a list of them shows it. */
export interface Overview extends NodeBalancer {
  readonly configs: readonly ConfigOverview[];
}
export type ConfigOverview = Pick<Config, 'id' | 'port' | 'nodes_status'>;

/** Who is logged in. */
export interface Login {
  /** the token's label */
  readonly author: string;
  readonly scope: 'read_only' | 'read_write';
  readonly csrf: string;
  /** the configuration file that is the only truth of this process, or null */
  readonly file: string | null;
  readonly version: string;
}

export interface Session {
  readonly id: string;
  readonly nodebalancer: string;
  readonly port: number;
  readonly client: string;
  readonly local: string;
  readonly node: { readonly label: string; readonly address: string } | null;
  readonly phase: string;
  readonly started: string;
  readonly idle_ms: number;
  readonly bytes_in: number;
  readonly bytes_out: number;
}

export interface RevisionInfo {
  readonly revision: number;
  readonly time: string;
  readonly author: string;
  readonly changes: readonly string[];
}
