// The numbers of Linux and the libc functions that more than one file here needs (uapi/asm-generic/socket.h, uapi/linux/tcp.h). What
// one file alone needs stands in that file. Tests write their own numbers: they are the judge.

import { declare } from './libc.ts';

export const SOCK_STREAM = 1;
export const SOCK_NONBLOCK = 0x800;
/** SOCK_, EPOLL_, EFD_ and O_CLOEXEC are one number. A spawned child that inherited a socket would keep its session half alive. */
export const CLOEXEC = 0x80000;

export const SOL_SOCKET = 1;
export const SO_KEEPALIVE = 9;
export const SO_OOBINLINE = 10;

export const IPPROTO_TCP = 6;
export const TCP_NODELAY = 1;
export const TCP_KEEPIDLE = 4;
export const TCP_KEEPINTVL = 5;
export const TCP_CONGESTION = 13;
export const TCP_USER_TIMEOUT = 18;

export const socket = declare('socket', 'int', ['int', 'int', 'int']);
export const setsockopt = declare('setsockopt', 'int', ['int', 'int', 'int', 'uintptr_t', 'uint32_t']);
export const bind = declare('bind', 'int', ['int', 'uintptr_t', 'uint32_t']);
export const close = declare('close', 'int', ['int']);
