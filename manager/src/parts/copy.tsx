// Text to be taken along: a button that copies it and says so.

import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { copyText } from './clipboard.ts';

export function CopyButton({ text, what }: { readonly text: string; readonly what: string }) {
  const [result, setResult] = useState<'Copied' | 'Not copied'>();
  useEffect(() => {
    if (result === undefined) return;
    const timer = setTimeout(() => setResult(undefined), 2000);
    return () => clearTimeout(timer);
  }, [result]);
  const copy = () => void copyText(text).then((isCopied) => setResult(isCopied ? 'Copied' : 'Not copied'));
  return (
    <button type="button" class="link copy" onClick={copy} aria-label={`Copy ${what}`}>
      <span aria-live="polite">{result ?? 'Copy'}</span>
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
