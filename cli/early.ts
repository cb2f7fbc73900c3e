// What must hold before anything else is loaded; cli/main.ts imports it first. A signal that nobody handles would end the process
// (and SIGUSR1 open Node.js's inspector); a reader of our messages that goes away must not take the balancer with it.

for (const signal of ['SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const) process.on(signal, () => {});

for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
