// The key of the page's logins: made once, readable by its owner alone. Whoever takes it away ends
// all logins.

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { readDataFile, writeDataFile } from '../store/data-file.ts';
import { StoreError } from '../store/store.ts';

const FILE_NAME = 'login.key';
const KEY_BYTES = 32;

export interface LoginKey {
  readonly key: Buffer;
  /** a sentence, when it is not the key that was there */
  readonly remark: string | undefined;
}

/** @throws StoreError where something else is in its place, or it cannot be read or written */
export function loginKey(directory: string): LoginKey {
  const path = join(directory, FILE_NAME);
  try {
    const kept = readDataFile(path);
    if (kept?.length === KEY_BYTES) return { key: kept, remark: undefined };
    const key = randomBytes(KEY_BYTES);
    writeDataFile(path, key);
    return { key, remark: kept === undefined ? undefined : remarkOn(path, kept.length) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : error;
    throw new StoreError(
      `the key of the page's logins, ${path}, ${reason}. Move it away, and a new one is made: who is logged in at the page logs in again`,
    );
  }
}

/**
 * What was half written once is of no use to anybody: a new key costs a login, and nothing else.
 */
function remarkOn(path: string, bytes: number): string {
  return `${path} had ${bytes} bytes, expected ${KEY_BYTES}: it was made anew, and who was logged in at the page logs in again`;
}
