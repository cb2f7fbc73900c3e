// A configuration in which any field may be missing, because what was there is already reported: the rules look at what
// is left, so that all errors come at once. Derived from the model; adds nothing to it.

import { type Static, Type } from 'typebox';
import { ConfigSchema, FrontendSchema, NodeBalancerSchema, NodeSchema } from './model.ts';

const NodeDraftSchema = Type.Partial(NodeSchema);
const FrontendDraftSchema = Type.Partial(
  Type.Object({ ...FrontendSchema.properties, nodes: Type.Array(NodeDraftSchema) }),
);
const NodeBalancerDraftSchema = Type.Partial(
  Type.Object({ ...NodeBalancerSchema.properties, configs: Type.Array(FrontendDraftSchema) }),
);
export const ConfigDraftSchema = Type.Partial(
  Type.Object({ ...ConfigSchema.properties, nodebalancers: Type.Array(NodeBalancerDraftSchema) }),
);

export type NodeDraft = Static<typeof NodeDraftSchema>;
export type FrontendDraft = Static<typeof FrontendDraftSchema>;
export type NodeBalancerDraft = Static<typeof NodeBalancerDraftSchema>;
export type ConfigDraft = Static<typeof ConfigDraftSchema>;
