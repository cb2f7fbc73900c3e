// The heading of a page: the document is called like it, and after a navigation it has the focus, so that a screen reader says where
// one is and the keyboard goes on from there.

import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

/** The first page of a visit leaves the focus where the browser has put it. */
let isFirst = true;

interface HeadingProps {
  /** of the document, without the product's name */
  readonly title: string;
  /** what makes it another page; the title where that is not said */
  readonly place?: string;
  /** the heading itself, where it is more than the title */
  readonly children?: ComponentChildren;
}

export function PageHeading({ title, place = title, children = title }: HeadingProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} – balancer`;
  }, [title]);
  useEffect(() => {
    if (!isFirst) heading.current?.focus({ preventScroll: true });
    isFirst = false;
  }, [place]);
  return (
    <h1 ref={heading} tabIndex={-1}>
      {children}
    </h1>
  );
}
