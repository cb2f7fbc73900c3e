// The bytes of a system call, as the processors' manuals have them. That the kernel understands them on this processor is what every other
// test shows; the other processor's are checked here alone.

import koffi from 'koffi';
import { expect, test } from 'vitest';
import { EAGAIN, EBADF } from '../../../core/base/errno.ts';
import { chainCode, singleCallCode } from '../../../core/linux/machine-code.ts';
import { systemCalls } from '../../../core/linux/system-calls.ts';

function hex(arch: string, number: number, given: number): string {
  return Buffer.from(singleCallCode(arch, number, given)).toString('hex');
}

test('x64: the number into eax, the fourth argument where the kernel takes it, the arguments not given cleared', () => {
  expect(hex('x64', 275, 6)).toBe('b8130100004989ca0f05c3');
  expect(hex('x64', 45, 4)).toBe('b82d0000004989ca4531c04531c90f05c3');
  expect(hex('x64', 24, 0)).toBe('b8180000004989ca31ff31f631d24531d24531c04531c90f05c3');
});

test('arm64: the number into x8, the arguments not given cleared', () => {
  const [x8is76, x4is0, x5is0] = ['880980d2', '040080d2', '050080d2'];
  const [svc, ret] = ['010000d4', 'c0035fd6'];
  expect(hex('arm64', 76, 6)).toBe(x8is76 + svc + ret);
  expect(hex('arm64', 207, 4)).toBe(`e81980d2${x4is0}${x5is0}${svc}${ret}`);
});

test('a chain, as an assembler makes it of the same instructions', () => {
  const x64 = `53 55 4889fb 89f5 488b4310 488b38 488b4318 488b30 488b4320 488b10 488b4328 4c8b10 488b4330 4c8b00
    488b4338 4c8b08 488b03 0f05 488b4b40 488901 3b4308 7d05 3b430c 7508 4883c348 ffcd 75b8 5d 5b c3`;
  const arm64 = `f353bfa9 f30300aa f403012a 690a40f9 200140f9 690e40f9 210140f9 691240f9 220140f9 691640f9 230140f9 691a40f9 240140f9
    691e40f9 250140f9 680240f9 010000d4 692240f9 200100f9 690a40b9 1f00096b 8a000054 690e40b9 1f00096b 81000054 73220191 94060071
    01fdff54 f353c1a8 c0035fd6`;
  for (const [arch, code] of Object.entries({ x64, arm64 })) {
    expect(Buffer.from(chainCode(arch)).toString('hex')).toBe(code.replace(/\s/g, ''));
  }
});

test('another processor is refused by name', () => {
  expect(() => singleCallCode('riscv64', 1, 0)).toThrow('balancer runs on x64 and arm64 processors; this is riscv64');
});

test('an error is the kernel’s answer, whatever happens to the thread’s errno', () => {
  koffi.errno(EAGAIN);
  expect(systemCalls.close(-1)).toBe(-EBADF);
  expect(koffi.errno()).toBe(EAGAIN);
});
