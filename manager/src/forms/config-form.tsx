// The fields of one port's configuration: the same on the create page and on the Configurations tab. The draft comes in, and every
// change goes out as another draft; all that it holds is what to say about the last change of protocol.

import { useState } from 'preact/hooks';
import { NumberField, SelectField, TextField, Toggle } from '../parts/fields.tsx';
import { Notice } from '../parts/notice.tsx';
import {
  CHECK_TEXT,
  type ConfigDraft,
  type DraftProtocol,
  mayHaveChecksum,
  sideEffects,
  withProtocol,
  withProxyProtocol,
} from './config-draft.ts';
import type { ConfigFormProps } from './config-form-props.ts';
import { NodeRows } from './node-rows.tsx';

const PROTOCOLS = [
  { value: 'tcp', text: 'TCP' },
  { value: 'http', text: 'HTTP (not served yet)' },
  { value: 'https', text: 'HTTPS (not served yet)' },
] as const;
const ALGORITHMS = [
  { value: 'roundrobin', text: 'Round Robin – by turns, by weight' },
  { value: 'leastconn', text: 'Least Connections – where the fewest are' },
  { value: 'source', text: 'Source – by the client’s address' },
] as const;
const STICKINESS = [
  { value: 'none', text: 'None' },
  { value: 'table', text: 'Table – a client returns to its node' },
] as const;
const PROXY_PROTOCOLS = [
  { value: 'none', text: 'None' },
  { value: 'v1', text: 'v1' },
  { value: 'v2', text: 'v2' },
] as const;
const CHECKS = (['none', 'connection', 'http', 'http_body'] as const).map((value) => ({
  value,
  text: CHECK_TEXT[value],
}));

export function ConfigForm({ draft, onChange, errors, isReadOnly, live, preview }: ConfigFormProps) {
  const change = (part: Partial<ConfigDraft>) => onChange({ ...draft, ...part });
  const [effects, setEffects] = useState<{ protocol: DraftProtocol; texts: readonly string[] }>();
  const changeProtocol = (protocol: DraftProtocol) => {
    const next = withProtocol(draft, protocol);
    setEffects({ protocol, texts: sideEffects(draft, next) });
    onChange(next);
  };
  const isHttp = draft.check === 'http' || draft.check === 'http_body';
  return (
    <div class="config-form">
      <fieldset class="config-fields" disabled={isReadOnly}>
        <legend class="visually-hidden">Configuration of port {draft.port}</legend>
        <div class="fields">
          <NumberField
            label="Port"
            value={draft.port}
            min={1}
            max={65535}
            error={errors.at('port')}
            onChange={(port) => change({ port })}
            help="The port that clients connect to."
          />
          <SelectField
            label="Protocol"
            value={draft.protocol}
            choices={PROTOCOLS}
            error={errors.at('protocol')}
            onChange={changeProtocol}
            help="TCP passes every byte on as it is: TLS, HTTP/2 and databases alike."
          />
          <SelectField
            label="Algorithm"
            value={draft.algorithm}
            choices={ALGORITHMS}
            error={errors.at('algorithm')}
            onChange={(algorithm) => change({ algorithm })}
            help="Which node takes a new connection."
          />
          <SelectField
            label="Session Stickiness"
            value={draft.stickiness}
            choices={STICKINESS}
            error={errors.at('stickiness')}
            onChange={(stickiness) => change({ stickiness })}
            help="Table: a client’s address keeps its node for 30 minutes."
          />
          {draft.protocol === 'tcp' && (
            <SelectField
              label="Proxy Protocol"
              value={draft.proxy_protocol}
              choices={PROXY_PROTOCOLS}
              error={errors.at('proxy_protocol')}
              onChange={(proxy_protocol) => onChange(withProxyProtocol(draft, proxy_protocol))}
              help="Tells nodes who the client is, before its first byte. The nodes must expect exactly this version."
            />
          )}
          {mayHaveChecksum(draft) && (
            <Toggle
              label="Checksum in each header (CRC32C)"
              help="A node that checks it refuses a damaged header."
              isOn={draft.proxy_protocol_crc32c}
              error={errors.at('proxy_protocol_crc32c')}
              onChange={(proxy_protocol_crc32c) => change({ proxy_protocol_crc32c })}
            />
          )}
        </div>
        {draft.protocol !== 'tcp' && (
          <Notice kind="warning">
            {draft.protocol.toUpperCase()} is not served yet. TCP passes HTTP and TLS through to the nodes, and Proxy
            Protocol tells them the client.
          </Notice>
        )}
        {effects !== undefined && effects.protocol === draft.protocol && effects.texts.length > 0 && (
          <Notice kind="info">
            {effects.texts.map((text) => (
              <p key={text}>{text}</p>
            ))}
          </Notice>
        )}
      </fieldset>
      {preview}
      <fieldset class="config-fields" disabled={isReadOnly}>
        <legend class="visually-hidden">Checks and queue of port {draft.port}</legend>
        <section class="form-section">
          <h3>Active Health Checks</h3>
          <div class="fields">
            <SelectField
              label="Type"
              value={draft.check}
              choices={CHECKS}
              error={errors.at('check')}
              onChange={(check) => change({ check })}
              help="How the balancer finds out whether a node serves."
            />
            {isHttp && (
              <TextField
                label="Health Check Path"
                value={draft.check_path}
                error={errors.at('check_path')}
                onChange={(check_path) => change({ check_path })}
                placeholder="/health"
                help="Answers 2xx and 3xx are healthy."
              />
            )}
            {draft.check === 'http_body' && (
              <TextField
                label="Expected Body"
                value={draft.check_body}
                isMono
                error={errors.at('check_body')}
                onChange={(check_body) => change({ check_body })}
                help="A regular expression that the answer’s body must match."
              />
            )}
            {draft.check !== 'none' && (
              <>
                <NumberField
                  label="Interval"
                  unit="seconds"
                  value={draft.check_interval}
                  min={2}
                  max={3600}
                  error={errors.at('check_interval')}
                  onChange={(check_interval) => change({ check_interval })}
                  help="2 to 3600; more than the timeout."
                />
                <NumberField
                  label="Timeout"
                  unit="seconds"
                  value={draft.check_timeout}
                  min={1}
                  max={30}
                  error={errors.at('check_timeout')}
                  onChange={(check_timeout) => change({ check_timeout })}
                  help="1 to 30; less than the interval."
                />
                <NumberField
                  label="Attempts"
                  value={draft.check_attempts}
                  min={1}
                  max={30}
                  error={errors.at('check_attempts')}
                  onChange={(check_attempts) => change({ check_attempts })}
                  help="1 to 30 failures in a row take a node out."
                />
              </>
            )}
          </div>
        </section>
        <section class="form-section">
          <h3>Passive Checks</h3>
          <Toggle
            label="Passive Checks"
            help="Take a node out for a while when three connections in a row could not be passed on to it."
            isOn={draft.check_passive}
            error={errors.at('check_passive')}
            onChange={(check_passive) => change({ check_passive })}
          />
        </section>
        <details open={errors.at('queue_size') !== undefined || errors.at('queue_timeout') !== undefined}>
          <summary>Queue</summary>
          <div class="fields">
            <NumberField
              label="Waiting connections"
              value={draft.queue_size}
              min={0}
              max={100_000}
              error={errors.at('queue_size')}
              onChange={(queue_size) => change({ queue_size })}
              help="So many wait while every node has as many connections as it may; further ones are reset."
            />
            <NumberField
              label="Waiting time"
              unit="seconds"
              value={draft.queue_timeout}
              min={1}
              max={3600}
              error={errors.at('queue_timeout')}
              onChange={(queue_timeout) => change({ queue_timeout })}
              help="Then a connection that waits is reset."
            />
          </div>
        </details>
      </fieldset>
      <NodeRows
        draft={draft}
        onChange={change}
        errors={errors}
        isReadOnly={isReadOnly}
        {...(live === undefined ? {} : { live })}
      />
    </div>
  );
}
