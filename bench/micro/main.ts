// Times parts of the core of one tree: `main.ts ROOT SECONDS`. A program of its own, so that another revision's modules never meet
// this one's, and no other scenario's garbage is in its heap. Prints one line of JSON: a figure in nanoseconds per operation,
// and why an operation has none. An operation whose result is wrong ends it with exit 1.

import { explain } from '../problem.ts';
import { OPERATIONS, type Operations } from './catalogue.ts';
import { chooseOperations } from './choose.ts';
import { MissingPart } from './core.ts';
import { decodeOperations, encodeOperations } from './headers.ts';
import { timeOperation } from './measure.ts';
import { counterOperations, histogramOperations } from './metrics.ts';
import { slotOperations, timerOperations } from './session.ts';

const PARTS: readonly ((root: string) => Promise<Operations>)[] = [
  encodeOperations,
  decodeOperations,
  chooseOperations,
  slotOperations,
  timerOperations,
  counterOperations,
  histogramOperations,
];

export interface MicroResult {
  /** operation -> nanoseconds */
  figures: Record<string, number>;
  /** what this tree does not have, in words */
  missing: string[];
  consumed: number;
}

async function loadOperations(root: string): Promise<{ operations: Operations; missing: string[] }> {
  const operations: Operations = {};
  const missing: string[] = [];
  for (const load of PARTS) {
    try {
      Object.assign(operations, await load(root));
    } catch (error) {
      if (!(error instanceof MissingPart)) throw error;
      missing.push(error.message);
    }
  }
  return { operations, missing };
}

async function run(root: string, seconds: number): Promise<MicroResult> {
  const { operations, missing } = await loadOperations(root);
  const figures: Record<string, number> = {};
  let consumed = 0;
  for (const { id } of OPERATIONS) {
    const operation = operations[id];
    if (operation === undefined) continue;
    try {
      operation.check();
    } catch (cause) {
      throw new Error(`${id} gives a wrong result, so it has no figure`, { cause });
    }
    const timing = timeOperation(operation, (seconds * 1000) / OPERATIONS.length);
    figures[id] = timing.ns;
    consumed = (consumed + timing.consumed) | 0;
  }
  return { figures, missing, consumed };
}

const [root = '', seconds] = process.argv.slice(2);
try {
  process.stdout.write(`${JSON.stringify(await run(root, Number(seconds)))}\n`);
} catch (error) {
  process.stderr.write(`${explain(error)}\n`);
  process.exitCode = 1;
}
