// The system calls' numbers: x64 (asm/unistd_64.h), arm64 (asm-generic/unistd.h).

const NUMBERS = {
  socket: [41, 198],
  setsockopt: [54, 208],
  getsockopt: [55, 209],
  bind: [49, 200],
  listen: [50, 201],
  accept4: [288, 242],
  connect: [42, 203],
  getsockname: [51, 204],
  getpeername: [52, 205],
  recvfrom: [45, 207],
  sendto: [44, 206],
  shutdown: [48, 210],
  ioctl: [16, 29],
  close: [3, 57],
  close_range: [436, 436],
  pipe2: [293, 59],
  fcntl: [72, 25],
  read: [0, 63],
  write: [1, 64],
  splice: [275, 76],
  epoll_create1: [291, 20],
  epoll_ctl: [233, 21],
  epoll_pwait: [281, 22],
  eventfd2: [290, 19],
  io_setup: [206, 0],
  io_destroy: [207, 1],
  io_submit: [209, 2],
  io_getevents: [208, 4],
  prlimit64: [302, 261],
  sched_setaffinity: [203, 122],
  sched_yield: [24, 124],
  exit_group: [231, 94],
} as const;

export type CallName = keyof typeof NUMBERS;

/** The number of a system call on this processor. */
export function callNumber(name: CallName): number {
  const [x64, arm64] = NUMBERS[name];
  return process.arch === 'x64' ? x64 : arm64;
}
