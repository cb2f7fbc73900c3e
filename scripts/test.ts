// `npm test [-- ARGS]`: installs the servers that the tests want, runs Vitest with ARGS, and closes with one plain line that
// counts what ran: `N passed, N failed`, and `, N skipped` where tests had to be left out.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { installTestPackages } from './debian.ts';

/** The part of Vitest's JSON report that is read here. */
interface Report {
  numPassedTests: number;
  numFailedTests: number;
  numFailedTestSuites: number;
  numPendingTests: number;
  numTodoTests: number;
}

installTestPackages();

const folder = mkdtempSync(join(tmpdir(), 'balancer-test-'));
const reportFile = join(folder, 'report.json');
const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
const args = [vitest, 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`];
const child = spawn(process.execPath, [...args, ...process.argv.slice(2)], { stdio: 'inherit' });
const [code] = await once(child, 'close');

let report: Report | undefined;
try {
  report = JSON.parse(readFileSync(reportFile, 'utf8'));
} catch {
  process.stderr.write('Vitest wrote no report\n');
}
rmSync(folder, { recursive: true, force: true });

process.exitCode = code === 0 && report !== undefined ? 0 : 1;
if (report !== undefined) {
  // A file that could not even be loaded has no tests to fail: it counts as one failure.
  const failed = report.numFailedTests || (code === 0 ? 0 : Math.max(1, report.numFailedTestSuites));
  const skipped = report.numPendingTests + report.numTodoTests;
  process.stdout.write(
    `${report.numPassedTests} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`,
  );
}
