// A configuration as tests write it: the file's own names, all but the needed ones left out.

export interface NodeSpec {
  label?: string;
  address: string;
  weight?: number;
  mode?: 'accept' | 'reject' | 'drain' | 'backup';
  max_connections?: number;
  slow_start?: number;
  proxy_protocol?: 'none' | 'v1' | 'v2' | null;
}

/** One port of a NodeBalancer, with the file's own names. */
export interface ConfigSpec {
  port: number;
  protocol?: 'tcp';
  algorithm?: 'roundrobin' | 'leastconn' | 'source';
  stickiness?: 'none' | 'table';
  proxy_protocol?: 'none' | 'v1' | 'v2';
  proxy_protocol_crc32c?: boolean;
  check?: 'none' | 'connection' | 'http' | 'http_body';
  check_interval?: number;
  check_timeout?: number;
  check_attempts?: number;
  check_passive?: boolean;
  check_path?: string;
  check_body?: string;
  queue_size?: number;
  queue_timeout?: number;
  nodes: NodeSpec[];
}

export interface BalancerSpec {
  nodebalancers: {
    label?: string;
    ipv4?: string;
    ipv6?: string;
    client_conn_throttle?: number;
    configs: ConfigSpec[];
  }[];
}
