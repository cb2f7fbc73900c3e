// A new NodeBalancer with its ports and nodes: created in one write, or not at all.

import { useRef, useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { type ApiFailure, asFailure, get } from '../api/client.ts';
import { createNodeBalancer } from '../api/nodebalancers.ts';
import { useQuery } from '../api/use-query.ts';
import { bodyOf, type ConfigDraft, newConfig } from '../forms/config-draft.ts';
import { ConfigForm } from '../forms/config-form.tsx';
import { formErrors, isConfigField } from '../forms/errors.ts';
import { useFocusOnError } from '../forms/focus-on-error.ts';
import { useLeaveWarning } from '../forms/leave-warning.ts';
import { useReadOnlyReason } from '../login.ts';
import { NumberField, TextField } from '../parts/fields.tsx';
import { PageHeading } from '../parts/heading.tsx';
import { Notice } from '../parts/notice.tsx';
import { count } from '../parts/show.tsx';
import { HeaderPreview } from './header-preview.tsx';

interface Region {
  readonly id: string;
  readonly label: string;
}

/** The example header speaks of an address that the new NodeBalancer does not have yet. */
const UNKNOWN_ADDRESS = { ipv4: '192.0.2.1', ipv6: null };

const OWN_FIELDS = ['label', 'tags', 'client_conn_throttle'];

function isOfConfig(configs: readonly ConfigDraft[], field: string): boolean {
  const [, index = '', rest = ''] = /^configs\[(\d+)\]\.(.*)$/.exec(field) ?? [];
  const config = configs[Number(index)];
  return rest !== '' && config !== undefined && isConfigField(config)(rest);
}

export function CreatePage() {
  const { route } = useLocation();
  const region = useQuery('regions', async () => (await get<{ data: readonly Region[] }>('/v4/regions')).data.data[0]);
  const [label, setLabel] = useState('');
  const [tags, setTags] = useState('');
  const [throttle, setThrottle] = useState('0');
  const [untouched] = useState<readonly ConfigDraft[]>(() => [newConfig('80')]);
  const [configs, setConfigs] = useState(untouched);
  const [failure, setFailure] = useState<ApiFailure>();
  const [isBusy, setBusy] = useState(false);
  const isReadOnly = useReadOnlyReason() !== undefined;
  const form = useFocusOnError(failure);
  const addButton = useRef<HTMLButtonElement>(null);
  useLeaveWarning(label !== '' || configs !== untouched);
  const errors = formErrors(failure, (field) => OWN_FIELDS.includes(field) || isOfConfig(configs, field));
  const drop = (index: number) => {
    setConfigs(configs.toSpliced(index, 1));
    // What was wrong is said by place, and the places are others now.
    setFailure(undefined);
    addButton.current?.focus();
  };
  const save = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setFailure(undefined);
    try {
      const { data } = await createNodeBalancer({
        ...(label.trim() === '' ? {} : { label }),
        region: region.data?.id,
        tags: tags.split(/[\s,]+/).filter((tag) => tag !== ''),
        client_conn_throttle: throttle.trim() === '' ? 0 : Number(throttle),
        configs: configs.map(bodyOf),
      });
      route(`/nodebalancers/${data.id}/summary`);
    } catch (error) {
      setFailure(asFailure(error));
      setBusy(false);
    }
  };
  if (isReadOnly) {
    return (
      <>
        <PageHeading title="Create NodeBalancer" />
        <p>
          Nothing can be created here. <a href="/nodebalancers">All NodeBalancers</a>
        </p>
      </>
    );
  }
  const nodes = configs.reduce((sum, config) => sum + config.nodes.length, 0);
  return (
    <form ref={form} class="config" onSubmit={save} noValidate>
      <PageHeading title="Create NodeBalancer" />
      <section class="panel">
        <div class="fields">
          <TextField
            label="NodeBalancer Label"
            value={label}
            error={errors.at('label')}
            onChange={setLabel}
            help="3 to 32 letters, digits, - or _. Left empty, it gets a name by its number."
          />
          <TextField
            label="Tags"
            value={tags}
            error={errors.at('tags')}
            onChange={setTags}
            help="Separated by commas."
          />
          <TextField
            label="Region"
            value={region.data?.label ?? ''}
            isDisabled
            onChange={() => {}}
            help="This machine."
          />
          <NumberField
            label="Client Connection Throttle"
            unit="/ second"
            min={0}
            max={20}
            value={throttle}
            error={errors.at('client_conn_throttle')}
            onChange={setThrottle}
            help="New connections of one client address; 0 is no limit."
          />
        </div>
      </section>
      {configs.map((config, index) => (
        <details class="accordion" open key={config.key}>
          <summary>Configuration - Port {config.port || '…'}</summary>
          <div class="accordion-body">
            <ConfigForm
              draft={config}
              onChange={(next) => setConfigs(configs.with(index, next))}
              errors={formErrors(failure, isConfigField(config), `configs[${index}].`)}
              isReadOnly={false}
              preview={<HeaderPreview draft={config} nodebalancer={UNKNOWN_ADDRESS} />}
            />
            {configs.length > 1 && (
              <div class="actions">
                <button type="button" class="button danger" onClick={() => drop(index)}>
                  Remove Configuration
                </button>
              </div>
            )}
          </div>
        </details>
      ))}
      <div>
        <button ref={addButton} type="button" class="button" onClick={() => setConfigs([...configs, newConfig('')])}>
          Add another Configuration
        </button>
      </div>
      {errors.others.map((reason) => (
        <Notice key={reason} kind="error">
          {reason}
        </Notice>
      ))}
      <div class="actions create-bar">
        <span class="quiet">
          {count(configs.length, 'configuration')}, {count(nodes, 'node')}
        </span>
        <button type="submit" class="button primary" disabled={isBusy}>
          Create NodeBalancer
        </button>
      </div>
    </form>
  );
}
