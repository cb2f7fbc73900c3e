// Text to be taken along: a button that copies it and says so.

import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';

export function CopyButton({ text, what }: { readonly text: string; readonly what: string }) {
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return;
    const timer = setTimeout(() => setCopied(false), 2000);
    return () => clearTimeout(timer);
  }, [isCopied]);
  // Without a secure context (plain HTTP to another machine) browsers have no clipboard.
  if (!('clipboard' in navigator)) return null;
  const copy = () => void navigator.clipboard.writeText(text).then(() => setCopied(true));
  return (
    <button type="button" class="link copy" onClick={copy} aria-label={`Copy ${what}`}>
      <span aria-live="polite">{isCopied ? 'Copied' : 'Copy'}</span>
    </button>
  );
}

interface CodeProps {
  /** what is copied */
  readonly text: string;
  readonly what: string;
  /** the same for the eye, where it is more than the text */
  readonly children?: ComponentChildren;
}

export function CodeBlock({ text, what, children }: CodeProps) {
  return (
    <div class="code-block">
      <CopyButton text={text} what={what} />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a block that scrolls must be reachable by keyboard */}
      <pre tabIndex={0}>
        <code>{children || text}</code>
      </pre>
    </div>
  );
}
