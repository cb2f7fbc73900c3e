// The system calls on pipes, and splice between a pipe and a socket. A short splice out of a socket proves nothing and
// promises nothing, so it is invented without a later edge; an invented EAGAIN has one (see socket-calls.ts).

import { EAGAIN, EINVAL, EMFILE, EPERM, EPIPE } from '../../core/base/errno.ts';
import { LATE_MS_MAX, OPEN_ERRORS } from './faults.ts';
import { CALL_MS } from './kernel-core.ts';
import { Pipe } from './pipe.ts';
import { SocketCalls } from './socket-calls.ts';
import type { TcpEnd } from './tcp-end.ts';

/** The pages of one sendmsg of splice_to_socket, each in a slot of its own. */
const SLOTS_PER_STEP = 16;

export abstract class PipeCalls extends SocketCalls {
  openPipe(fdsAt: number): number {
    this.enter();
    this.span(fdsAt, 8, 'openPipe');
    if (!this.table.hasRoom(2)) return -EMFILE;
    if (this.random.chance(this.faults.openPipeErrors)) return -this.random.pick(OPEN_ERRORS);
    const pipe = new Pipe(this.pages);
    this.arena.view.setInt32(fdsAt, this.table.open({ kind: 'pipe', pipe, side: 'read' }, 'shard'), true);
    this.arena.view.setInt32(fdsAt + 4, this.table.open({ kind: 'pipe', pipe, side: 'write' }, 'shard'), true);
    return 0;
  }

  resizePipe(fd: number, bytes: number): number {
    this.enter();
    const pipe = this.table.pipe(fd, 'resizePipe', 'any');
    if (typeof pipe === 'number') return pipe;
    return this.random.chance(this.faults.resizePipeErrors) ? -EPERM : pipe.resize(bytes);
  }

  pipeSize(fd: number): number {
    this.enter();
    const pipe = this.table.pipe(fd, 'pipeSize', 'any');
    return typeof pipe === 'number' ? pipe : pipe.sizeBytes;
  }

  write(fd: number, at: number, bytes: number): number {
    this.enter();
    const pipe = this.table.pipe(fd, 'write', 'write');
    return typeof pipe === 'number' ? pipe : pipe.write(this.span(at, bytes, 'write'));
  }

  splice(fromFd: number, toFd: number, bytes: number): number {
    this.enter();
    if (!Number.isInteger(bytes) || bytes <= 0) this.violate(`splice of ${bytes} bytes`);
    const from = this.table.find(fromFd, 'splice from');
    if (from?.file.kind === 'pipe') {
      const pipe = this.table.pipe(fromFd, 'splice from', 'read');
      const end = this.table.socket(toFd, 'splice to');
      if (typeof pipe === 'number') return pipe;
      return typeof end === 'number' ? end : this.#pipeToSocket(pipe, end, bytes);
    }
    const end = this.table.socket(fromFd, 'splice from');
    if (typeof end === 'number') return end;
    const pipe = this.table.pipe(toFd, 'splice to', 'write');
    return typeof pipe === 'number' ? -EINVAL : this.#socketToPipe(end, pipe, bytes);
  }

  /** A full pipe hides everything: the end of the stream and an error too (wait_for_space in fs/splice.c). */
  #socketToPipe(end: TcpEnd, pipe: Pipe, bytes: number): number {
    if (!pipe.readerOpen) return -EPIPE;
    if (pipe.isFull) return -EAGAIN;
    const limit = this.readLimit(end, bytes);
    return limit === 0 ? -EAGAIN : end.spliceTo(pipe, limit);
  }

  #pipeToSocket(pipe: Pipe, end: TcpEnd, bytes: number): number {
    if (pipe.bytes === 0) return pipe.writerOpen ? -EAGAIN : 0;
    const verdict = end.sendVerdict();
    if (verdict < 0) return verdict;
    const limit = this.writeLimit(end, Math.min(bytes, pipe.bytes));
    return limit === 0 ? -EAGAIN : this.#sendInSteps(pipe, end, limit);
  }

  /**
   * splice_to_socket: one sendmsg for the pages of a few slots, then the next. What comes from the
   * network between two of them is there for the second, and an error that this one answers with is
   * gone: the call says how far it came.
   */
  #sendInSteps(pipe: Pipe, end: TcpEnd, bytes: number): number {
    let sent = 0;
    while (sent < bytes && end.sendVerdict() === 0) {
      const step = Math.min(bytes - sent, pipe.bytesOf(SLOTS_PER_STEP));
      const count = Math.min(step, end.sendRoom);
      if (count < step) end.refuseRoom();
      pipe.take(count, (piece) => end.send(piece));
      sent += count;
      this.passMoment(this.random.chance(this.faults.slowSteps) ? LATE_MS_MAX : CALL_MS);
    }
    return sent;
  }
}
