// What must hold before anything else is loaded; cli/main.ts imports it first. A signal that nobody handles would end the process
// (and SIGUSR1 open Node.js's inspector).

for (const signal of ['SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const) process.on(signal, () => {});

// libuv reads it when its pool is used for the first time. Of its threads half are lent to look-ups of host names, each for as long as
// a silent name server is waited for: with libuv's four, two such names keep all others from being looked up. A thread that does
// nothing costs some 7 KiB. Nothing else of the running balancer needs the pool.
process.env.UV_THREADPOOL_SIZE ??= '64';
