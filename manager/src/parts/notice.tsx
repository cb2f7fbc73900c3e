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

/** Holds the place of what is loading, so that nothing jumps when it comes. @param lines of text it will have */
export function Loading({ lines = 3 }: { readonly lines?: number }) {
  return (
    <div class="loading" role="status">
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
