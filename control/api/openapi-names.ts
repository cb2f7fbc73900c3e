// Names in the description of the API: of each operation for those who generate a client, and of its command and action for linode-cli,
// which makes its commands from them. Those below /v4 are that client's own words; ours follow from the path.

export interface OperationName {
  /** unique */
  readonly id: string;
  /** of linode-cli */
  readonly action: string;
}

interface PathNames {
  readonly command: string;
  readonly operations: Readonly<Record<string, OperationName>>;
}

/** @param operations method -> action and id */
function named(
  command: string,
  operations: Readonly<Record<string, readonly [action: string, id: string]>>,
): PathNames {
  const entries = Object.entries(operations).map(([method, [action, id]]) => [method, { id, action }] as const);
  return { command, operations: Object.fromEntries(entries) };
}

const ROOT = '/nodebalancers';
const ONE = `${ROOT}/{nodebalancerId}`;
const CONFIG = `${ONE}/configs/{configId}`;
const NODE = `${CONFIG}/nodes/{nodeId}`;

const NAMES: Readonly<Record<string, PathNames>> = {
  [ROOT]: named('nodebalancers', {
    get: ['list', 'getNodeBalancers'],
    post: ['create', 'createNodeBalancer'],
  }),
  [`${ROOT}/types`]: named('nodebalancers', { get: ['types', 'getNodeBalancerTypes'] }),
  [ONE]: named('nodebalancers', {
    get: ['view', 'getNodeBalancer'],
    put: ['update', 'updateNodeBalancer'],
    delete: ['delete', 'deleteNodeBalancer'],
  }),
  [`${ONE}/configs`]: named('nodebalancers', {
    get: ['configs-list', 'getNodeBalancerConfigs'],
    post: ['config-create', 'createNodeBalancerConfig'],
  }),
  [CONFIG]: named('nodebalancers', {
    get: ['config-view', 'getNodeBalancerConfig'],
    put: ['config-update', 'updateNodeBalancerConfig'],
    delete: ['config-delete', 'deleteNodeBalancerConfig'],
  }),
  [`${CONFIG}/rebuild`]: named('nodebalancers', { post: ['config-rebuild', 'rebuildNodeBalancerConfig'] }),
  [`${CONFIG}/nodes`]: named('nodebalancers', {
    get: ['nodes-list', 'getNodeBalancerConfigNodes'],
    post: ['node-create', 'createNodeBalancerNode'],
  }),
  [NODE]: named('nodebalancers', {
    get: ['node-view', 'getNodeBalancerNode'],
    put: ['node-update', 'updateNodeBalancerNode'],
    delete: ['node-delete', 'deleteNodeBalancerNode'],
  }),
  [`${ONE}/stats`]: named('nodebalancers', { get: ['stats', 'getNodeBalancerStats'] }),
  [`${ONE}/firewalls`]: named('nodebalancers', {
    get: ['firewalls-list', 'getNodeBalancerFirewalls'],
    put: ['firewalls-update', 'updateNodeBalancerFirewalls'],
  }),
  [`${ONE}/vpcs`]: named('nodebalancers', { get: ['vpcs-list', 'getNodeBalancerVpcs'] }),
  '/regions': named('regions', { get: ['list', 'getRegions'] }),
  '/regions/{regionId}': named('regions', { get: ['view', 'getRegion'] }),
  '/profile': named('profile', { get: ['view', 'getProfile'] }),
  '/linode/instances': named('linodes', { get: ['list', 'getLinodeInstances'] }),
  '/linode/instances/{linodeId}': named('linodes', { get: ['view', 'getLinodeInstance'] }),
};

const OWN_COMMAND = 'balancer';

/** The command of linode-cli that a path's operations belong to. */
export function commandOf(path: string): string {
  return NAMES[path]?.command ?? OWN_COMMAND;
}

/** @param path without the version: `/nodebalancers/{nodebalancerId}` @param method in lower case */
export function operationName(path: string, method: string): OperationName {
  return NAMES[path]?.operations[method] ?? nameFromPath(path, method);
}

/** `delete /balancer/v1/sessions/{sessionId}`: deleteBalancerSessionsBySessionId, delete-sessions-by-session-id */
function nameFromPath(path: string, method: string): OperationName {
  const words = path
    .split('/')
    .filter((segment) => segment !== '' && segment !== 'v1')
    .map((segment) => segment.replace(/^\{(.*)\}$/, 'by-$1').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`))
    .flatMap((segment) => segment.split(/[-_]/));
  const id = [method, ...words.map((word) => word.charAt(0).toUpperCase() + word.slice(1))].join('');
  return { id, action: [method, ...words.filter((word) => word !== OWN_COMMAND)].join('-') };
}
