// Writes one revision after the other into the store in the directory named, and says the number of each once it is written.

import { writeSync } from 'node:fs';
import { inventoryOf } from '../../../control/store/inventory.ts';
import { openStore } from '../../../control/store/sqlite-store.ts';
import { validateConfig } from '../../../core/config/validate.ts';

const [, , directory = ''] = process.argv;
const store = openStore(directory);
for (;;) {
  const { revision, inventory } = store.read();
  const port = 1 + ((revision + 1) % 60_000);
  const validated = validateConfig({ nodebalancers: [{ label: 'web', configs: [{ port }] }] });
  if (!('config' in validated)) throw new Error('the writer has a bad configuration');
  const next = inventoryOf(validated.config, inventory, 'local', '2026-01-02T03:04:05');
  const written = store.write(revision, { author: 'writer', changes: [`port ${port}`], inventory: next });
  writeSync(1, `${written.revision}\n`);
}
