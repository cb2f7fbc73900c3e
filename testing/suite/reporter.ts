// Listens to Vitest and keeps what each file came to. What it came to in words is in tally.ts.

import { relative, resolve } from 'node:path';
import type { Reporter, TestModule, TestRunEndReason } from 'vitest/node';
import type { FileResult } from './tally.ts';

const ROOT = resolve(import.meta.dirname, '../..');

export class TallyReporter implements Reporter {
  readonly results: FileResult[] = [];
  /** errors that belong to no test: a rejection that nobody waited for, a worker that died */
  strayErrors = 0;
  reason: TestRunEndReason | undefined;
  readonly #startMs = new Map<string, number>();

  onTestModuleQueued(module: TestModule): void {
    this.#startMs.set(module.id, performance.now());
  }

  onTestModuleEnd(module: TestModule): void {
    const count = (state: 'passed' | 'failed' | 'skipped') => [...module.children.allTests(state)].length;
    const failed = count('failed');
    const endMs = performance.now();
    this.results.push({
      tier: module.project.name,
      file: relative(ROOT, module.moduleId),
      passed: count('passed'),
      // A file that could not be loaded has no tests to fail, and a hook is no test: each is one failure.
      failed: failed > 0 || module.ok() ? failed : 1,
      skipped: count('skipped'),
      startMs: this.#startMs.get(module.id) ?? endMs,
      endMs,
    });
  }

  onTestRunEnd(_modules: readonly TestModule[], strayErrors: readonly unknown[], reason: TestRunEndReason): void {
    this.strayErrors = strayErrors.length;
    this.reason = reason;
  }
}
