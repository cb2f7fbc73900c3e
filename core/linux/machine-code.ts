// The machine code of one system call, as a function that C could call: arguments come in the registers of the C calling convention, and
// the kernel's own answer goes back. Values only; nothing is called or mapped here.

const ARGUMENTS_MAX = 6;

type Assemble = (number: number, given: number) => Uint8Array;

const le32 = (value: number): number[] => [value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, value >>> 24];

/** `xor` of each argument's register with itself: rdi, rsi, rdx, r10, r8, r9 (syscall(2), "Architecture calling conventions"). */
const X64_ZERO = [
  [0x31, 0xff],
  [0x31, 0xf6],
  [0x31, 0xd2],
  [0x45, 0x31, 0xd2],
  [0x45, 0x31, 0xc0],
  [0x45, 0x31, 0xc9],
];

/** C passes the fourth argument in rcx, which the instruction `syscall` overwrites: the kernel takes it from r10. */
function x64(number: number, given: number): Uint8Array {
  const movToEax = [0xb8, ...le32(number)];
  const movRcxToR10 = [0x49, 0x89, 0xca];
  const syscall = [0x0f, 0x05];
  const ret = [0xc3];
  return Uint8Array.from([...movToEax, ...movRcxToR10, ...X64_ZERO.slice(given).flat(), ...syscall, ...ret]);
}

/** C and the kernel take the same registers, x0 to x5; the number goes into x8. */
function arm64(number: number, given: number): Uint8Array {
  const mov = (register: number, value: number): number => 0xd280_0000 + (value << 5) + register;
  const zeros = Array.from({ length: ARGUMENTS_MAX - given }, (_, i) => mov(given + i, 0));
  const svc = 0xd400_0001;
  const ret = 0xd65f_03c0;
  return Uint8Array.from([mov(8, number), ...zeros, svc, ret].flatMap(le32));
}

const ASSEMBLE: Readonly<Record<string, Assemble>> = { x64, arm64 };

/**
 * @param arch as in `process.arch`: x64 or arm64
 * @param number the system call's on that architecture
 * @param given how many arguments the caller passes; the kernel sees 0 for the rest
 */
export function systemCallCode(arch: string, number: number, given: number): Uint8Array {
  const assemble = ASSEMBLE[arch];
  if (assemble === undefined) throw new Error(`balancer runs on x64 and arm64 processors; this is ${arch}`);
  return assemble(number, given);
}
