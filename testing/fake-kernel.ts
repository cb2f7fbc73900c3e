// A kernel that does only what a test gives it: every other call is a mistake of the test, or of the code under test. For code
// that makes a handful of calls; the simulated kernel in tests/sim is for whole sessions.

import { createArena, type Kernel } from '../core/linux/kernel.ts';

export function fakeKernel(calls: Partial<Kernel>, memory = new SharedArrayBuffer(4096)): Kernel {
  const refuse = (name: string) => (): never => {
    throw new Error(`nobody expected a call of ${name}`);
  };
  return {
    arena: createArena(memory),
    nowMs: refuse('nowMs'),
    accept: refuse('accept'),
    localAddress: refuse('localAddress'),
    peerAddress: refuse('peerAddress'),
    openSocket: refuse('openSocket'),
    setOption: refuse('setOption'),
    setCongestion: refuse('setCongestion'),
    resetOnClose: refuse('resetOnClose'),
    bind: refuse('bind'),
    connect: refuse('connect'),
    takeError: refuse('takeError'),
    prepareConnections: refuse('prepareConnections'),
    acceptConnection: refuse('acceptConnection'),
    openConnection: refuse('openConnection'),
    restOfConnection: refuse('restOfConnection'),
    recv: refuse('recv'),
    peek: refuse('peek'),
    discard: refuse('discard'),
    send: refuse('send'),
    sendMore: refuse('sendMore'),
    sendLast: refuse('sendLast'),
    openTransfers: refuse('openTransfers'),
    closeTransfers: refuse('closeTransfers'),
    noteRecv: refuse('noteRecv'),
    noteSend: refuse('noteSend'),
    transfer: refuse('transfer'),
    transferred: refuse('transferred'),
    shutdownWrite: refuse('shutdownWrite'),
    unread: refuse('unread'),
    received: refuse('received'),
    unsent: refuse('unsent'),
    close: refuse('close'),
    closeTwo: refuse('closeTwo'),
    openPipe: refuse('openPipe'),
    resizePipe: refuse('resizePipe'),
    pipeSize: refuse('pipeSize'),
    write: refuse('write'),
    splice: refuse('splice'),
    openEpoll: refuse('openEpoll'),
    watch: refuse('watch'),
    unwatch: refuse('unwatch'),
    wait: refuse('wait'),
    openWake: refuse('openWake'),
    wake: refuse('wake'),
    takeWake: refuse('takeWake'),
    ...calls,
  };
}
