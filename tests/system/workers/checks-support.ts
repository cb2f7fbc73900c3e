// One check of a scripted node, and what it found.

import { parseIp } from '../../../core/base/ip.ts';
import { LOOPBACK_IPV4 } from '../../../testing/ports.ts';
import { Farewells } from '../../../workers/checks/attempt.ts';
import { createRunCheck } from '../../../workers/checks/run.ts';
import { SourceTurns } from '../../../workers/checks/source-turns.ts';
import type { CheckResult, CheckTarget } from '../../../workers/checks/target.ts';

/** Far above what a loaded machine needs: tests that wait for it set their own. */
const TIMEOUT_MS = 10_000;

export function makeTarget(port: number, changes: Partial<CheckTarget> = {}): CheckTarget {
  return {
    frontend: 0,
    row: 0,
    name: 'web-1 (127.0.0.1:8080) of web port 80',
    check: 'connection',
    ip: parseIp(LOOPBACK_IPV4),
    ips: [],
    port,
    host: LOOPBACK_IPV4,
    proxyProtocol: 'none',
    intervalMs: 20_000,
    timeoutMs: TIMEOUT_MS,
    attempts: 3,
    path: '/',
    body: '',
    ...changes,
  };
}

export interface Run {
  readonly result: Promise<CheckResult>;
  readonly controller: AbortController;
  /** how often a result came: more than once is wrong */
  readonly count: () => number;
}

/** @param farewells of checks that are not alone; else there is room for one @param sources local addresses */
export function run(
  port: number,
  changes: Partial<CheckTarget> = {},
  nowMs?: () => number,
  farewells = new Farewells(1),
  sources = new SourceTurns([]),
): Run {
  const { promise, resolve } = Promise.withResolvers<CheckResult>();
  const controller = new AbortController();
  let count = 0;
  const done = (result: CheckResult) => {
    count++;
    resolve(result);
  };
  createRunCheck(farewells, sources, nowMs)(makeTarget(port, changes), controller.signal, done);
  return { result: promise, controller, count: () => count };
}
