// The machine code of system calls, as functions that C could call: one that makes a single call, and one that makes several in a row. Bytes
// only; nothing is mapped or called here.

/** Both processors' convention for a call's arguments is in syscall(2), "Architecture calling conventions". */
interface Processor {
  /** a function that makes one call, of `given` arguments */
  single(number: number, given: number): string[];
  /** a function (steps, how many) -> the last result; see `STEP` */
  chain: readonly string[];
}

/**
 * A step of a chain, as it lies in memory: what to call, when to go on, and the addresses of the arguments and of the place for the result.
 * Arguments are fetched as their step comes: a result can be an argument of those behind it.
 */
export const STEP = {
  /** int64 */
  number: 0,
  /** two int32: the chain goes on where the result is at least the first, or equals the second */
  least: 8,
  or: 12,
  /** six addresses of int64 */
  args: 16,
  /** address of an int64 */
  result: 64,
  bytes: 72,
};
export const ARGUMENTS_MAX = 6;

const le32 = (value: number): string =>
  [0, 8, 16, 24].map((shift) => ((value >>> shift) & 0xff).toString(16).padStart(2, '0')).join('');

/** xor of each argument's register with itself: rdi, rsi, rdx, r10, r8, r9 */
const X64_ZERO = ['31ff', '31f6', '31d2', '4531d2', '4531c0', '4531c9'];

const X64: Processor = {
  single: (number, given) => [
    `b8${le32(number)}`, // mov eax, number
    '4989ca', // mov r10, rcx: C's place of the fourth argument is overwritten by `syscall`
    ...X64_ZERO.slice(given),
    '0f05', // syscall
    'c3', // ret
  ],
  chain: [
    '53', // push rbx
    '55', // push rbp
    '4889fb', // mov rbx, rdi
    '89f5', // mov ebp, esi
    // next step:
    '488b4310', // mov rax, [rbx + 16]
    '488b38', // mov rdi, [rax]
    '488b4318', // mov rax, [rbx + 24]
    '488b30', // mov rsi, [rax]
    '488b4320', // mov rax, [rbx + 32]
    '488b10', // mov rdx, [rax]
    '488b4328', // mov rax, [rbx + 40]
    '4c8b10', // mov r10, [rax]
    '488b4330', // mov rax, [rbx + 48]
    '4c8b00', // mov r8, [rax]
    '488b4338', // mov rax, [rbx + 56]
    '4c8b08', // mov r9, [rax]
    '488b03', // mov rax, [rbx]
    '0f05', // syscall
    '488b4b40', // mov rcx, [rbx + 64]
    '488901', // mov [rcx], rax
    '3b4308', // cmp eax, [rbx + 8]
    '7d05', // jge go on
    '3b430c', // cmp eax, [rbx + 12]
    '7508', // jne end
    // go on:
    '4883c348', // add rbx, 72
    'ffcd', // dec ebp
    '75b8', // jnz next step
    // end:
    '5d', // pop rbp
    '5b', // pop rbx
    'c3', // ret
  ],
};

/** mov register, value */
const arm64Mov = (register: number, value: number): string => le32(0xd280_0000 + (value << 5) + register);

const ARM64: Processor = {
  single: (number, given) => [
    arm64Mov(8, number),
    ...Array.from({ length: ARGUMENTS_MAX - given }, (_, i) => arm64Mov(given + i, 0)),
    le32(0xd400_0001), // svc #0
    le32(0xd65f_03c0), // ret
  ],
  chain: [
    0xa9bf_53f3, // stp x19, x20, [sp, #-16]!
    0xaa00_03f3, // mov x19, x0
    0x2a01_03f4, // mov w20, w1
    // next step:
    0xf940_0a69, // ldr x9, [x19, #16]
    0xf940_0120, // ldr x0, [x9]
    0xf940_0e69, // ldr x9, [x19, #24]
    0xf940_0121, // ldr x1, [x9]
    0xf940_1269, // ldr x9, [x19, #32]
    0xf940_0122, // ldr x2, [x9]
    0xf940_1669, // ldr x9, [x19, #40]
    0xf940_0123, // ldr x3, [x9]
    0xf940_1a69, // ldr x9, [x19, #48]
    0xf940_0124, // ldr x4, [x9]
    0xf940_1e69, // ldr x9, [x19, #56]
    0xf940_0125, // ldr x5, [x9]
    0xf940_0268, // ldr x8, [x19]
    0xd400_0001, // svc #0
    0xf940_2269, // ldr x9, [x19, #64]
    0xf900_0120, // str x0, [x9]
    0xb940_0a69, // ldr w9, [x19, #8]
    0x6b09_001f, // cmp w0, w9
    0x5400_008a, // b.ge go on
    0xb940_0e69, // ldr w9, [x19, #12]
    0x6b09_001f, // cmp w0, w9
    0x5400_0081, // b.ne end
    // go on:
    0x9101_2273, // add x19, x19, #72
    0x7100_0694, // subs w20, w20, #1
    0x54ff_fd01, // b.ne next step
    // end:
    0xa8c1_53f3, // ldp x19, x20, [sp], #16
    0xd65f_03c0, // ret
  ].map(le32),
};

const PROCESSORS: Readonly<Record<string, Processor>> = { x64: X64, arm64: ARM64 };

function processor(arch: string): Processor {
  const found = PROCESSORS[arch];
  if (found === undefined) throw new Error(`balancer runs on x64 and arm64 processors; this is ${arch}`);
  return found;
}

const bytesOf = (instructions: readonly string[]): Uint8Array => Buffer.from(instructions.join(''), 'hex');

/**
 * @param arch as in `process.arch`
 * @param number the system call's on that processor
 * @param given how many arguments the caller passes; the kernel sees 0 for the rest
 */
export function singleCallCode(arch: string, number: number, given: number): Uint8Array {
  return bytesOf(processor(arch).single(number, given));
}

/** Its arguments are the address of the first step and their number; it returns the last result. */
export function chainCode(arch: string): Uint8Array {
  return bytesOf(processor(arch).chain);
}
