// From sampled stacks to shares of CPU time. Pure: the text of `perf script` in, values out. It owns what counts as kernel, to which
// system call a sample belongs, and how functions are named.

/** Innermost frame first, as perf prints them. */
export type Stack = readonly Frame[];

export interface Frame {
  symbol: string;
  /** the file or pseudo file that the code is from */
  module: string;
  isKernel: boolean;
}

/** Part of all samples, 0..1. */
export interface Share {
  name: string;
  share: number;
}

export interface TimeShares {
  samples: number;
  kernelShare: number;
  /** Each with everything that was done inside of it. They and `otherKernelShare` add up to `kernelShare`. */
  systemCalls: Share[];
  /** Interrupts, page faults, and the way into and out of system calls. */
  otherKernelShare: number;
  /** Without what they call. */
  userFunctions: Share[];
  kernelFunctions: Share[];
}

const FUNCTIONS_SHOWN = 12;

/** `__x64_sys_sendto`; where the compiler made a jump of its last call, that frame is gone and `ksys_read` or `__sys_sendto` is left. */
const SYSTEM_CALL = /^(?:__(?:x64|ia32|arm64|se|do)_sys_|ksys_|__sys_)(\w+)$/;
/** Where even those are gone. */
const SYSTEM_CALL_BODIES: ReadonlyMap<string, string> = new Map([
  ['do_epoll_wait', 'epoll_wait'],
  ['do_epoll_ctl', 'epoll_ctl'],
  ['do_splice', 'splice'],
  ['__do_splice', 'splice'],
  ['do_writev', 'writev'],
  ['do_readv', 'readv'],
  ['do_futex', 'futex'],
]);

/** @param text of `perf script -F tid,ip,sym,dso`: per sample a line, then a line per frame, then an empty one */
export function parseStacks(text: string): Stack[] {
  return text
    .split(/\n\s*\n/)
    .map((sample) => sample.split('\n').flatMap(parseFrame))
    .filter((frames) => frames.length > 0);
}

/** `ffffffff816bb886 ksys_read ([kernel.kallsyms])`. Names of compiled JavaScript contain blanks, paths may contain brackets. */
function parseFrame(line: string): Frame[] {
  const [, address, symbol, module] = line.match(/^\s+([0-9a-f]+) (.*) \((.*)\)$/) ?? [];
  if (address === undefined || symbol === undefined || module === undefined) return [];
  // The upper half of the address space is the kernel's, whatever its modules are called.
  return [{ symbol, module, isKernel: /^[89a-f][0-9a-f]{15}$/.test(address) }];
}

/** @param root of the tree whose files are named relative to it */
export function summarize(stacks: readonly Stack[], root = ''): TimeShares {
  const inKernel = stacks.filter(([leaf]) => leaf?.isKernel === true);
  const inUserSpace = stacks.filter(([leaf]) => leaf?.isKernel === false);
  const calls = inKernel.map(systemCallOf).filter((name) => name !== undefined);
  const samples = stacks.length;
  const part = (count: number) => (samples === 0 ? 0 : count / samples);
  return {
    samples,
    kernelShare: part(inKernel.length),
    systemCalls: sharesOf(calls, samples),
    otherKernelShare: part(inKernel.length - calls.length),
    userFunctions: topOf(inUserSpace, samples, (leaf) => functionName(leaf, root)),
    kernelFunctions: topOf(inKernel, samples, ({ symbol }) => symbol),
  };
}

function topOf(stacks: readonly Stack[], samples: number, nameOf: (leaf: Frame) => string): Share[] {
  const names = stacks.flatMap(([leaf]) => (leaf === undefined ? [] : [nameOf(leaf)]));
  return sharesOf(names, samples).slice(0, FUNCTIONS_SHOWN);
}

/** The most frequent first. */
function sharesOf(names: readonly string[], samples: number): Share[] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => ({ name, share: count / samples })).sort((a, b) => b.share - a.share);
}

/**
 * The outermost one, so that a packet which a send delivers in the same breath, softirq and all, counts for the send: without
 * it that work would not have been done now. An interrupt in the middle of a system call is counted there too; perf cannot tell.
 */
function systemCallOf(stack: Stack): string | undefined {
  for (const { symbol, isKernel } of stack.toReversed()) {
    if (!isKernel) continue;
    const name = symbol.match(SYSTEM_CALL)?.[1] ?? SYSTEM_CALL_BODIES.get(symbol);
    if (name !== undefined) return name;
  }
  return undefined;
}

/** `JS:*relay file:///…/core/session/relay.ts:12:3` -> `relay core/session/relay.ts:12`. The compiler's tier (`*`, `+`, `^`, `~`,
 * with an `o` before it where a running loop was replaced, and a `'` behind it) is dropped: the same function in two tiers is one line. */
function functionName({ symbol, module }: Frame, root: string): string {
  const script = symbol.match(
    /^(?:JS|LazyCompile|Function|Eval|Script):(?:o?[*+^~])?'?(\S*) (?:file:\/\/)?(\S+?)(?::(\d+))?(?::\d+)?$/,
  );
  if (script !== null) {
    const [, name, file = '', line] = script;
    const shortened = root !== '' && file.startsWith(`${root}/`) ? file.slice(root.length + 1) : file;
    return `${name === '' ? '(anonymous)' : name} ${shortened}${line === undefined ? '' : `:${line}`}`;
  }
  const file = module.slice(module.lastIndexOf('/') + 1);
  return symbol === '[unknown]' ? `(no symbol) ${file}` : `${symbol} ${file}`;
}
