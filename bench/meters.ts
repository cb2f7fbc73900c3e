// What a process tree and the whole machine have used, from /proc. Reading only; what is subtracted from what is said here
// too, because the kernel offers two clocks per process and they must not be mixed.

import { readdirSync, readFileSync } from 'node:fs';

const TICKS_PER_SECOND = 100;
const MICROSECONDS_PER_TICK = 1e6 / TICKS_PER_SECOND;

export interface CpuReading {
  /** utime and stime of every process of the tree, all threads; in ticks of 10 ms. */
  userUs: number;
  systemUs: number;
  /** Run time per thread from the scheduler; the same quantity in nanoseconds, but threads that ended are missing. */
  threadNs: Map<string, number>;
  /** Everything that any CPU did except waiting, from /proc/stat: in ticks. */
  boxUs: number;
}

export interface CpuUse {
  ownUs: number;
  boxUs: number;
  /** Part of the own time spent in the kernel, 0..1. */
  kernelShare: number;
}

/** The process and all its descendants. */
export function processTree(pid: number): number[] {
  const pids = [pid];
  for (const thread of entries(`/proc/${pid}/task`)) {
    const children = read(`/proc/${pid}/task/${thread}/children`).trim();
    if (children !== '') pids.push(...children.split(' ').flatMap((child) => processTree(Number(child))));
  }
  return pids;
}

function readCpu(pid: number): CpuReading {
  const reading: CpuReading = { userUs: 0, systemUs: 0, threadNs: new Map(), boxUs: readBox() };
  for (const member of processTree(pid)) {
    // The name in field 2 may contain blanks: count from the closing parenthesis, where field 3 starts.
    const fields = read(`/proc/${member}/stat`)
      .replace(/^.*\) /s, '')
      .split(' ');
    reading.userUs += Number(fields[11] ?? 0) * MICROSECONDS_PER_TICK;
    reading.systemUs += Number(fields[12] ?? 0) * MICROSECONDS_PER_TICK;
    for (const thread of entries(`/proc/${member}/task`)) {
      const [runNs] = read(`/proc/${member}/task/${thread}/schedstat`).split(' ');
      reading.threadNs.set(thread, Number(runNs ?? 0));
    }
  }
  return reading;
}

function cpuBetween(before: CpuReading, after: CpuReading): CpuUse {
  const userUs = after.userUs - before.userUs;
  const systemUs = after.systemUs - before.systemUs;
  const ticksUs = userUs + systemUs;
  return {
    ownUs: schedulerUs(before, after) ?? ticksUs,
    boxUs: after.boxUs - before.boxUs,
    kernelShare: ticksUs === 0 ? 0 : systemUs / ticksUs,
  };
}

/** What a process tree and the machine use while something runs. */
export async function measureCpu<T>(pid: number, run: () => Promise<T>): Promise<CpuUse & { result: T }> {
  const before = readCpu(pid);
  const result = await run();
  return { ...cpuBetween(before, readCpu(pid)), result };
}

/** The finer clock, where no thread ended in between and the kernel has it. */
function schedulerUs(before: CpuReading, after: CpuReading): number | undefined {
  let sumNs = 0;
  for (const [thread, runNs] of after.threadNs) sumNs += runNs - (before.threadNs.get(thread) ?? 0);
  const lost = [...before.threadNs.keys()].some((thread) => !after.threadNs.has(thread));
  return lost || sumNs === 0 ? undefined : sumNs / 1000;
}

/**
 * What the tree would take if nobody else ran its programs. Memory of its own by proportional set size, which counts what the tree
 * shares with itself once. Pages of program files in full, and once, because all members run the same program: by PSS they
 * would be divided among all processes of the machine that run it, and the benchmark's own do (load and sink run on Node.js as ours
 * does, the node is nginx). Tried: ours "shrank" by 4 MiB when the client came, and was 40 MiB smaller than alone.
 */
export function memoryBytes(pid: number): number {
  let ownKilobytes = 0;
  let fileKilobytes = 0;
  for (const member of processTree(pid)) {
    const rollup = read(`/proc/${member}/smaps_rollup`);
    ownKilobytes += kilobytesOf('Pss_Anon', rollup, member) + kilobytesOf('Pss_Shmem', rollup, member);
    fileKilobytes = Math.max(fileKilobytes, kilobytesOf('RssFile', read(`/proc/${member}/status`), member));
  }
  return (ownKilobytes + fileKilobytes) * 1024;
}

function kilobytesOf(name: string, text: string, pid: number): number {
  const kilobytes = text.match(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm'))?.[1];
  if (kilobytes === undefined) throw new Error(`no ${name} for process ${pid}`);
  return Number(kilobytes);
}

function readBox(): number {
  // cpu user nice system idle iowait irq softirq steal ...: all but idle and iowait, up to steal.
  const [, user, nice, system, , , irq, softirq, steal] = read('/proc/stat').split('\n')[0]?.split(/\s+/) ?? [];
  const ticks = [user, nice, system, irq, softirq, steal].reduce((sum, value) => sum + Number(value ?? 0), 0);
  return ticks * MICROSECONDS_PER_TICK;
}

function entries(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

/** A process may end while we look at it: then it has nothing to say. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
