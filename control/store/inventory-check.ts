// Whether a value is an inventory: what comes from a disk is believed only after it was looked at. And whether its configuration is one
// that this version would put into force: a whole inventory that another version wrote may break a rule that came later.

import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { Default } from 'typebox/value';
import { FrontendSchema, NodeBalancerSchema, NodeSchema } from '../../core/config/model.ts';
import type { OwnAddresses } from '../../core/config/own-ports.ts';
import type { Problems } from '../../core/config/problem-list.ts';
import { validateConfig } from '../../core/config/validate.ts';
import { configOf, type Inventory } from './inventory.ts';
import { KeptFieldsSchema } from './kept-fields.ts';

const Id = Type.Integer({ minimum: 1 });
const OWN = {
  id: Id,
  region: Type.String(),
  tags: Type.Array(Type.String()),
  created: Type.String(),
  updated: Type.String(),
};

const StoredNodeSchema = Type.Object({ ...NodeSchema.properties, id: Id });
const StoredFrontendSchema = Type.Object({
  ...FrontendSchema.properties,
  ...KeptFieldsSchema.properties,
  id: Id,
  nodes: Type.Array(StoredNodeSchema),
});
const StoredNodeBalancerSchema = Type.Object({
  ...NodeBalancerSchema.properties,
  ...OWN,
  configs: Type.Array(StoredFrontendSchema),
});
const InventorySchema = Type.Object({ nextId: Id, nodebalancers: Type.Array(StoredNodeBalancerSchema) });

/** The least that makes an inventory: what the store itself adds, and the names by which things are told apart. */
const ShapeSchema = Type.Object({
  nextId: Id,
  nodebalancers: Type.Array(
    Type.Object({
      ...OWN,
      label: Type.String(),
      ipv4: Type.String(),
      configs: Type.Array(
        Type.Object({
          id: Id,
          port: Type.Number(),
          nodes: Type.Array(Type.Object({ id: Id, label: Type.String(), address: Type.String() })),
        }),
      ),
    }),
  ),
});

const hasShape = Compile(ShapeSchema);

/**
 * @returns the inventory, with what newer versions have added filled in; undefined when the value is none. Whether its values are good
 * is another question: see `problemsOf`
 */
export function readInventory(value: unknown): Inventory | undefined {
  const filled: unknown = Default(InventorySchema, value);
  return hasShape.Check(filled) ? (filled as Static<typeof InventorySchema>) : undefined;
}

const NO_PROBLEMS: Problems = { shown: [], more: 0 };

/** Of inventories, which never change. */
const known = new WeakMap<Inventory, Problems>();

/** Whether this version would put it into force. */
export function isSound(inventory: Inventory): boolean {
  return problemsOf(inventory).shown.length === 0;
}

/**
 * What this version's rules say against it, as paths in its configuration.
 * @param own of this machine; left out, what is stored is judged by itself: it does not turn bad because the machine gets an address
 */
export function problemsOf(inventory: Inventory, own?: OwnAddresses): Problems {
  const before = own === undefined ? known.get(inventory) : undefined;
  if (before !== undefined) return before;
  const validated = validateConfig(configOf(inventory), own);
  const problems = 'problems' in validated ? validated.problems : NO_PROBLEMS;
  if (own === undefined) known.set(inventory, problems);
  return problems;
}
