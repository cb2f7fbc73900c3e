// Whether a value is an inventory: what comes from a disk is believed only after it was looked at. The schemas are those of the
// configuration, with what the store adds.

import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { Default } from 'typebox/value';
import { FrontendSchema, NodeBalancerSchema, NodeSchema } from '../../core/config/model.ts';
import { validateConfig } from '../../core/config/validate.ts';
import { configOf, type Inventory } from './inventory.ts';

const Id = Type.Integer({ minimum: 1 });

const StoredNodeSchema = Type.Object({ ...NodeSchema.properties, id: Id });
const StoredFrontendSchema = Type.Object({ ...FrontendSchema.properties, id: Id, nodes: Type.Array(StoredNodeSchema) });
const StoredNodeBalancerSchema = Type.Object({
  ...NodeBalancerSchema.properties,
  id: Id,
  region: Type.String(),
  tags: Type.Array(Type.String()),
  created: Type.String(),
  updated: Type.String(),
  configs: Type.Array(StoredFrontendSchema),
});
const InventorySchema = Type.Object({ nextId: Id, nodebalancers: Type.Array(StoredNodeBalancerSchema) });

const check = Compile(InventorySchema);

/** @returns the inventory, with what newer versions have added filled in; undefined when the value is none */
export function readInventory(value: unknown): Inventory | undefined {
  const filled: unknown = Default(InventorySchema, value);
  if (!check.Check(filled)) return undefined;
  const inventory: Static<typeof InventorySchema> = filled;
  return 'problems' in validateConfig(configOf(inventory)) ? undefined : inventory;
}
