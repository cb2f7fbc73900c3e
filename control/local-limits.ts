// How many clients the two sockets in the data directory have at a time. Each takes a descriptor; cli/settings.ts keeps them.

export const STATUS_CLIENTS_MAX = 16;
export const LOCAL_CONNECTIONS_MAX = 16;
