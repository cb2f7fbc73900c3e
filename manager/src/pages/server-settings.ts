// Settings that make a node's server expect the PROXY header, ready to be copied: ports are those of the nodes, and the addresses to
// trust are those that the balancer connects from. The same as in the README, where it says how they were tried.

export const SERVERS = [
  { value: 'nginx', text: 'NGINX' },
  { value: 'apache', text: 'Apache' },
  { value: 'mariadb', text: 'MariaDB' },
  { value: 'haproxy', text: 'HAProxy' },
] as const;

export type Server = (typeof SERVERS)[number]['value'];

/** Where the addresses could not be told: no node has an IP address yet, or there is no way to it. */
const UNKNOWN = 'ADDRESS-OF-THE-BALANCER';

function portsOf(nodes: readonly string[]): readonly string[] {
  const ports = new Set(nodes.flatMap((address) => /:(\d+)$/.exec(address)?.[1] ?? []));
  return ports.size === 0 ? ['80'] : [...ports];
}

/** @param nodes their addresses @param sources that the balancer connects from */
export function settingsFor(server: Server, nodes: readonly string[], sources: readonly string[]): string {
  const ports = portsOf(nodes);
  const trusted = sources.length === 0 ? [UNKNOWN] : sources;
  switch (server) {
    case 'nginx':
      return [
        'server {',
        ...ports.map((port) => `    listen ${port} proxy_protocol;`),
        ...trusted.map((address) => `    set_real_ip_from ${address};`),
        '    real_ip_header proxy_protocol;  # not in stream {}',
        "    # $remote_addr and $remote_port are the client's now",
        '}',
      ].join('\n');
    case 'apache':
      return [
        '# a2enmod remoteip',
        ...ports.map((port) => `Listen ${port}`),
        `<VirtualHost ${ports.map((port) => `*:${port}`).join(' ')}>`,
        '    RemoteIPProxyProtocol On',
        '    # %a in LogFormat, and Require ip, mean the client now',
        `    # Apache believes every sender: let only ${trusted.join(', ')} reach ${ports.length > 1 ? 'these ports' : 'this port'}`,
        '</VirtualHost>',
      ].join('\n');
    case 'mariadb':
      return ['[mariadbd]', `proxy-protocol-networks = ${trusted.join(', ')}`].join('\n');
    case 'haproxy':
      return [
        'frontend from_balancer',
        ...ports.map((port) => `    bind :${port} accept-proxy`),
        `    tcp-request connection reject unless { src ${trusted.join(' ')} }`,
        '    # after that, src is the client',
      ].join('\n');
  }
}
