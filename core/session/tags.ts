// What goes into epoll with a descriptor: which events are wanted of it, and the tag that says what an event belongs to.

import { EPOLLET, EPOLLIN, EPOLLOUT, EPOLLPRI, EPOLLRDHUP } from '../linux/kernel.ts';

/** The two top bits of a tag: what an event belongs to. The rest says which one: slot * 2 + side, or the listener's place. */
export const TAG_SESSION = 0;
export const TAG_LISTENER = 0x4000_0000;
export const TAG_WAKE = 0x8000_0000;
export const TAG_KIND = 0xc000_0000;

/** Interest of every session socket, for its whole life: one EPOLL_CTL_ADD, no changes. */
export const SESSION_EVENTS = (EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLRDHUP | EPOLLET) >>> 0;

export function isSessionTag(tag: number): boolean {
  return (tag & TAG_KIND) === TAG_SESSION;
}
