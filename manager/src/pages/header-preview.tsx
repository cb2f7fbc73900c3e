// Beside the Proxy Protocol select: the bytes that a node will receive for an example client, from the balancer's own encoder, and
// settings for the servers that people have behind it.

import { useRef, useState } from 'preact/hooks';
import { post } from '../api/client.ts';
import type { NodeBalancer } from '../api/types.ts';
import { useQuery } from '../api/use-query.ts';
import type { ConfigDraft } from '../forms/config-draft.ts';
import { CodeBlock } from '../parts/copy.tsx';
import { SelectField } from '../parts/fields.tsx';
import { FailureNotice } from '../parts/notice.tsx';
import { count } from '../parts/show.tsx';
import { SERVERS, settingsFor } from './server-settings.ts';

const PORT_MAX = 65_535;

/** Addresses that nobody has (RFC 5737, RFC 3849). */
const EXAMPLES = [
  { value: 'ipv4', text: 'IPv4 client 203.0.113.7', client: '203.0.113.7:51234' },
  { value: 'ipv6', text: 'IPv6 client 2001:db8::7', client: '[2001:db8::7]:51234' },
] as const;
type Example = (typeof EXAMPLES)[number]['value'];

interface Header {
  readonly bytes: number;
  /** the line of v1; of v2 a line per field: hex and meaning */
  readonly description: string;
}

interface PreviewProps {
  readonly draft: ConfigDraft;
  readonly nodebalancer: Pick<NodeBalancer, 'ipv4' | 'ipv6'>;
}

export function HeaderPreview({ draft, nodebalancer }: PreviewProps) {
  const [example, setExample] = useState<Example>('ipv4');
  const { proxy_protocol: version, proxy_protocol_crc32c: crc32c } = draft;
  if (draft.protocol !== 'tcp' || version === 'none') return null;
  return (
    <section class="form-section preview" aria-label="What nodes receive">
      <h3>What nodes receive</h3>
      <div class="fields">
        <SelectField label="Example client" value={example} choices={EXAMPLES} onChange={setExample} />
      </div>
      <HeaderBytes version={version} crc32c={crc32c} example={example} port={draft.port} nodebalancer={nodebalancer} />
      <ServerSettings draft={draft} />
    </section>
  );
}

interface BytesProps extends Pick<PreviewProps, 'nodebalancer'> {
  readonly version: 'v1' | 'v2';
  readonly crc32c: boolean;
  readonly example: Example;
  readonly port: string;
}

function HeaderBytes({ version, crc32c, example, port, nodebalancer }: BytesProps) {
  const { client } = EXAMPLES.find(({ value }) => value === example) ?? EXAMPLES[0];
  const isV6 = example === 'ipv6';
  const local = `${isV6 ? `[${nodebalancer.ipv6 ?? '2001:db8::1'}]` : nodebalancer.ipv4}:${portOrExample(port)}`;
  const body = { proxy_protocol: version, proxy_protocol_crc32c: crc32c, client, local };
  const { data, failure } = useQuery(
    JSON.stringify(body),
    async () => (await post<Header>('/balancer/v1/header', body)).data,
  );
  // While the port is typed, the last header stays: nothing is to jump under the cursor.
  const last = useRef<Header | undefined>(undefined);
  if (data !== undefined) last.current = data;
  const { bytes, description } = data ?? last.current ?? placeholderOf(version, crc32c);
  if (failure !== undefined) return <FailureNotice failure={failure} />;
  return (
    <>
      <p class="quiet">{bytes === 0 ? '…' : `${count(bytes, 'byte')}, before the client’s first byte:`}</p>
      <CodeBlock text={description} what="the header">
        {version === 'v2' && <HeaderFields description={description} />}
      </CodeBlock>
    </>
  );
}

/** As many lines as the header will have. */
function placeholderOf(version: 'v1' | 'v2', crc32c: boolean): Header {
  const lines = version === 'v1' ? 2 : crc32c ? 9 : 8;
  return { bytes: 0, description: '\n'.repeat(lines - 1) };
}

/** Hex and meaning side by side; where the window is narrow, each wraps within its column. */
function HeaderFields({ description }: Pick<Header, 'description'>) {
  return (
    <span class="header-fields">
      {description.split('\n').map((line, index) => {
        const [hex = '', meaning = ''] = line.split(/ {2,}/);
        return (
          <span key={index} class="header-field">
            <span>{hex}</span>
            <span>{meaning}</span>
          </span>
        );
      })}
    </span>
  );
}

/** While it is typed, a port is often none. */
function portOrExample(port: string): string {
  return /^[1-9]\d{0,4}$/.test(port) && Number(port) <= PORT_MAX ? port : '80';
}

interface Sources {
  readonly addresses: readonly string[];
}

/** So many nodes are asked about: what is different between them is seldom the way to them. */
const ASKED_MAX = 100;

function ServerSettings({ draft }: { readonly draft: ConfigDraft }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Settings for your nodes</summary>
      {isOpen && <SettingsOf nodes={draft.nodes.map(({ address }) => address.trim())} />}
    </details>
  );
}

function SettingsOf({ nodes }: { readonly nodes: readonly string[] }) {
  const [server, setServer] = useState<(typeof SERVERS)[number]['value']>('nginx');
  const body = { nodes: nodes.slice(0, ASKED_MAX) };
  const { data } = useQuery(
    JSON.stringify(body),
    async () => (await post<Sources>('/balancer/v1/source_addresses', body)).data,
  );
  return (
    <div class="form-section">
      <div class="fields">
        <SelectField label="Server" value={server} choices={SERVERS} onChange={setServer} />
      </div>
      <CodeBlock text={settingsFor(server, nodes, data?.addresses ?? [])} what="the settings" />
    </div>
  );
}
