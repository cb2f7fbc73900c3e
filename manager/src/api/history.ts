// The changes of the configuration.

import { get } from './client.ts';
import type { RevisionInfo } from './types.ts';

/** Newest first. @param before only older ones than this revision */
export async function listRevisions(limit: number, before?: number): Promise<readonly RevisionInfo[]> {
  const query = new URLSearchParams({
    limit: String(limit),
    ...(before === undefined ? {} : { before: String(before) }),
  });
  return (await get<{ readonly data: readonly RevisionInfo[] }>(`/balancer/v1/history?${query}`)).data.data;
}

/** @returns 0 before the first change */
export async function latestRevision(): Promise<number> {
  const [latest] = await listRevisions(1);
  return latest?.revision ?? 0;
}
