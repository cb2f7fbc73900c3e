// Numbers of the kernel's interface, the same on x64 and arm64.

export const SOCK_STREAM = 1;
/** O_NONBLOCK is the same number. */
export const NONBLOCK = 0x800;
/** SOCK_, EPOLL_, EFD_ and O_CLOEXEC are one number. A spawned child that inherited a socket would keep its session half alive. */
export const CLOEXEC = 0x80000;
export const MSG_PEEK = 0x02;
export const MSG_TRUNC = 0x20;
export const MSG_NOSIGNAL = 0x4000;
export const MSG_MORE = 0x8000;
export const SHUT_WR = 1;
export const F_SETPIPE_SZ = 1031;
export const F_GETPIPE_SZ = 1032;
export const FIONREAD = 0x541b;
export const SIOCOUTQ = 0x5411;
export const SPLICE_F_MOVE = 1;
export const SPLICE_F_NONBLOCK = 2;
export const EPOLL_CTL_ADD = 1;
export const EPOLL_CTL_DEL = 2;

// Levels and names of socket options (uapi/asm-generic/socket.h, uapi/linux/tcp.h, uapi/linux/in.h and in6.h).
export const SOL_SOCKET = 1;
export const SO_REUSEADDR = 2;
export const SO_ERROR = 4;
export const SO_KEEPALIVE = 9;
export const SO_OOBINLINE = 10;
export const SO_LINGER = 13;
export const SO_REUSEPORT = 15;
export const SO_RCVLOWAT = 18;
export const SO_BINDTOIFINDEX = 62;
export const IPPROTO_IP = 0;
export const IP_FREEBIND = 15;
export const IP_BIND_ADDRESS_NO_PORT = 24;
export const IPPROTO_IPV6 = 41;
export const IPV6_V6ONLY = 26;
export const IPPROTO_TCP = 6;
export const TCP_NODELAY = 1;
export const TCP_KEEPIDLE = 4;
export const TCP_KEEPINTVL = 5;
export const TCP_INFO = 11;
export const TCP_CONGESTION = 13;
export const TCP_USER_TIMEOUT = 18;

/**
 * struct tcp_info up to its `tcpi_bytes_received`, a u64 that Linux has had since 4.1
 * (uapi/linux/tcp.h).
 */
export const TCP_INFO_BYTES = 136;
export const TCP_INFO_RECEIVED_AT = 128;

/** no -errno is less (linux/err.h) */
export const ERRNO_MAX = 4095;
