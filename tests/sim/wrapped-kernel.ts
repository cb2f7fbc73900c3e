// A kernel around a kernel: shows every call to a hook, before and after. With it a run is traced for a reader, and a shard is
// made to die in the middle of a call, as a thread does that runs out of memory: once before the call had any effect, once
// after it but before the caller learned the result.

import type { Kernel } from '../../core/linux/kernel.ts';

export interface CallHooks {
  before?(call: string, args: readonly unknown[]): void;
  after?(call: string, args: readonly unknown[], result: unknown): void;
}

export function wrapKernel(kernel: Kernel, hooks: CallHooks): Kernel {
  return new Proxy(kernel, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      const call = String(name);
      return (...args: unknown[]): unknown => {
        hooks.before?.(call, args);
        const result: unknown = Reflect.apply(member, target, args);
        hooks.after?.(call, args, result);
        return result;
      };
    },
  });
}

/** A kernel of which one call is another. */
export function replaced<Call extends keyof Kernel>(kernel: Kernel, call: Call, other: Kernel[Call]): Kernel {
  return new Proxy(kernel, {
    get(target, name) {
      if (name === call) return other;
      const member: unknown = Reflect.get(target, name);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}

/** Thrown out of a system call. Code that catches it meets it again at its next call: a dead thread makes none. */
export class ShardDeath extends Error {
  override readonly name = 'ShardDeath';
}

export interface MortalKernel {
  readonly kernel: Kernel;
  isDead(): boolean;
}

/** @param atCall counted from 1 @param when whether the fatal call still has its effect */
export function mortalKernel(kernel: Kernel, atCall: number, when: 'before' | 'after'): MortalKernel {
  let calls = 0;
  let dead = false;
  const dieAt = (moment: 'before' | 'after', call: string) => {
    dead ||= calls === atCall && when === moment;
    if (dead) throw new ShardDeath(`${moment} ${call}`);
  };
  const mortal = wrapKernel(kernel, {
    before(call) {
      calls++;
      dieAt('before', call);
    },
    after(call) {
      dieAt('after', call);
    },
  });
  return { kernel: mortal, isDead: () => dead };
}

/** Keeps the last `linesMax` calls as text: `recv(7, 4096, 65536) = 1460`. */
export function tracedKernel(kernel: Kernel, linesMax: number, lines: string[]): Kernel {
  return wrapKernel(kernel, {
    after(call, args, result) {
      // Minutes of idle waiting would push out what matters.
      if (call === 'nowMs' || (call === 'wait' && result === 0)) return;
      lines.push(`${kernel.nowMs().toFixed(3)} ${call}(${args.join(', ')}) = ${String(result)}`);
      if (lines.length > linesMax) lines.shift();
    },
  });
}
