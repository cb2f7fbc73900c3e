// Beside the Proxy Protocol select: the bytes that a node will receive for an example client, from the balancer's own encoder, for each
// version that there is among the nodes; and settings for the servers that people have behind it.

import { Fragment } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { post } from '../api/client.ts';
import type { NodeBalancer } from '../api/types.ts';
import { useQuery } from '../api/use-query.ts';
import { type ConfigDraft, type NodeDraft, type Receivers, receiversOf } from '../forms/config-draft.ts';
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
  const receivers = receiversOf(draft);
  if (draft.protocol !== 'tcp' || receivers.every(({ version }) => version === 'none')) return null;
  return (
    <section class="form-section preview" aria-label="What nodes receive">
      <h3>What nodes receive</h3>
      <div class="fields">
        <SelectField label="Example client" value={example} choices={EXAMPLES} onChange={setExample} />
      </div>
      {receivers.map((some) => (
        <Fragment key={some.version}>
          {receivers.length > 1 && <h4>{titleOf(some, draft.nodes)}</h4>}
          {some.version === 'none' ? (
            <p class="quiet">Nothing: the client’s first byte is the first that they see.</p>
          ) : (
            <HeaderBytes
              version={some.version}
              crc32c={some.version === 'v2' && draft.proxy_protocol_crc32c}
              example={example}
              port={draft.port}
              nodebalancer={nodebalancer}
              what={receivers.length > 1 ? `the header of ${some.version}` : 'the header'}
            />
          )}
        </Fragment>
      ))}
      <ServerSettings nodes={receivers.flatMap(({ version, nodes }) => (version === 'none' ? [] : nodes))} />
    </section>
  );
}

/** So many nodes are named; a pool that is converted node by node may have a thousand. */
const NAMED_MAX = 5;

/** `v1, of their own: web-3, web-4` @param all nodes, for the places of those without a label */
function titleOf({ version, isOfConfig, nodes }: Receivers, all: readonly NodeDraft[]): string {
  const header = version === 'none' ? 'No header' : version;
  const why = isOfConfig ? 'as the config' : nodes.length === 1 ? 'of its own' : 'of their own';
  const names = nodes.slice(0, NAMED_MAX).map((node) => node.label || `node ${all.indexOf(node) + 1}`);
  const more = nodes.length - names.length;
  return `${header}, ${why}: ${names.join(', ')}${more > 0 ? ` and ${count(more, 'other')}` : ''}`;
}

interface BytesProps extends Pick<PreviewProps, 'nodebalancer'> {
  readonly version: 'v1' | 'v2';
  readonly crc32c: boolean;
  readonly example: Example;
  readonly port: string;
  /** for the name of the button that copies it */
  readonly what: string;
}

function HeaderBytes({ version, crc32c, example, port, nodebalancer, what }: BytesProps) {
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
      <CodeBlock text={description} what={what}>
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

/** @param nodes that get a header */
function ServerSettings({ nodes }: { readonly nodes: readonly NodeDraft[] }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Settings for your nodes</summary>
      {isOpen && <SettingsOf nodes={nodes.map(({ address }) => address.trim())} />}
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
