// Settings that make a node's server expect the PROXY header, ready to be copied: ports are those of the nodes, and the address to
// trust is the one that the balancer connects from.

import type { ConfigDraft } from '../forms/config-draft.ts';

export const SERVERS = [
  { value: 'nginx', text: 'NGINX' },
  { value: 'apache', text: 'Apache' },
  { value: 'mariadb', text: 'MariaDB / MySQL' },
  { value: 'haproxy', text: 'HAProxy' },
] as const;

export type Server = (typeof SERVERS)[number]['value'];

function portOf(address: string): string | undefined {
  return /:(\d+)$/.exec(address)?.[1];
}

/** Where the balancer comes from, as its nodes see it: on one machine that is loopback, else the operator knows it. */
function trustedOf(draft: ConfigDraft): string {
  const isLocal =
    draft.nodes.length > 0 && draft.nodes.every(({ address }) => /^(127\.|\[::1\]|localhost)/.test(address));
  return isLocal ? '127.0.0.1' : 'ADDRESS-OF-THE-BALANCER';
}

export function settingsFor(server: Server, draft: ConfigDraft): string {
  const ports = [...new Set(draft.nodes.map(({ address }) => portOf(address)).filter((port) => port !== undefined))];
  const port = ports[0] ?? '80';
  const trusted = trustedOf(draft);
  switch (server) {
    case 'nginx':
      return [
        'server {',
        ...(ports.length === 0 ? ['80'] : ports).map((each) => `    listen ${each} proxy_protocol;`),
        `    set_real_ip_from ${trusted};`,
        '    real_ip_header proxy_protocol;',
        '    # $remote_addr is the client now; $proxy_protocol_addr is, too.',
        '}',
      ].join('\n');
    case 'apache':
      return [
        '# a2enmod remoteip',
        `Listen ${port}`,
        `<VirtualHost *:${port}>`,
        '    RemoteIPProxyProtocol On',
        '    LogFormat "%a %l %u %t \\"%r\\" %>s %b" client',
        '</VirtualHost>',
      ].join('\n');
    case 'mariadb':
      return ['[mysqld]', `proxy-protocol-networks = ${trusted}, localhost`, 'skip-name-resolve'].join('\n');
    case 'haproxy':
      return [
        'frontend from_balancer',
        `    bind :${port} accept-proxy`,
        '    # src is the client now',
        `    tcp-request connection expect-proxy layer4 if { src ${trusted} }`,
      ].join('\n');
  }
}
