// Words about what happened, read out when they appear; and what stands where data is not there yet.

import type { ComponentChildren } from 'preact';
import type { ApiFailure } from '../api/client.ts';

type Kind = 'info' | 'success' | 'warning' | 'error';

export function Notice({ kind, children }: { readonly kind: Kind; readonly children: ComponentChildren }) {
  return (
    <div class={`notice ${kind}`} role={kind === 'error' || kind === 'warning' ? 'alert' : 'status'}>
      {children}
    </div>
  );
}

export function FailureNotice({ failure, onRetry }: { readonly failure: ApiFailure; readonly onRetry?: () => void }) {
  return (
    <Notice kind="error">
      {failure.message}{' '}
      {onRetry !== undefined && (
        <button type="button" class="link" onClick={onRetry}>
          Try again
        </button>
      )}
    </Notice>
  );
}

interface LoadingProps {
  /** of text that it will have */
  readonly lines?: number;
  /** at least as high as the window */
  readonly isTall?: boolean;
}

/** Holds the place of what is loading, so that nothing jumps when it comes. */
export function Loading({ lines = 3, isTall = false }: LoadingProps) {
  return (
    <div class={isTall ? 'loading tall' : 'loading'} role="status">
      <span class="visually-hidden">Loading</span>
      {Array.from({ length: lines }, (_, line) => (
        <span key={line} class="loading-line" />
      ))}
    </div>
  );
}

export function EmptyState({ title, children }: { readonly title: string; readonly children: ComponentChildren }) {
  return (
    <div class="empty">
      <h2>{title}</h2>
      {children}
    </div>
  );
}
