// The first token and the first address of the page: made once in the life of a store, and only
// when everything listens, so that a start that fails has told nobody a secret. On a terminal they
// are printed. Anywhere else what is printed is kept by somebody, a journal or a collector of logs:
// there they go into a file that only its owner can read, and that goes with their first use.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { loginPath } from './api/login-routes.ts';
import type { Logins } from './api/logins.ts';
import { readDataFile, writeDataFile } from './store/data-file.ts';
import { newToken, type Tokens } from './store/tokens.ts';

const FILE_NAME = 'first-login';
const LABEL = 'first';
const OTHERS = '"balancer token create" makes others';
const ANOTHER = '"balancer login" prints another address';
const INSTEAD =
  '"balancer token create" makes one, and "balancer login" prints an address that logs you in at the page';

export interface FirstLoginOptions {
  /** of the file */
  readonly directory: string;
  readonly tokens: Tokens;
  readonly logins: Logins;
  /** where the page is, without a path */
  readonly pageUrl: string;
  /** whether what is shown is seen by a person alone */
  readonly isTerminal: boolean;
  /** whatever the log level */
  readonly show: (text: string) => void;
  readonly warn: (message: string) => void;
}

export class FirstLogin {
  readonly #options: FirstLoginOptions;
  readonly #path: string;
  /** what the file has, while there is one */
  #tokenId: number | undefined;
  #code: string | undefined;

  constructor(options: FirstLoginOptions) {
    this.#options = options;
    this.#path = join(options.directory, FILE_NAME);
    const removeIfOf = (id: number) => {
      if (id === this.#tokenId) this.#remove();
    };
    options.tokens.onUsed = removeIfOf;
    options.tokens.onRevoked = removeIfOf;
    options.logins.onOpened = (code) => {
      if (code === this.#code) this.#remove();
    };
    this.#resume();
  }

  /** When everything listens. Not again when somebody has revoked all tokens, and works without. */
  offer(): void {
    const { tokens, isTerminal, warn } = this.#options;
    if (!tokens.isNew) return;
    try {
      if (isTerminal) this.#print();
      else this.#write();
    } catch (error) {
      // Nothing was made: the next start tries again.
      warn(`no first token could be handed over: ${messageOf(error)}. ${INSTEAD}`);
    }
  }

  #print(): void {
    const { tokens, logins, show } = this.#options;
    const { token } = tokens.create(LABEL, 'read_write');
    const { code } = logins.createCode();
    show(
      `A token for the API, of scope read_write and label "${LABEL}". It is shown only now; ${OTHERS}:\n  ${token}\n` +
        `The page, logged in once within 15 minutes; ${ANOTHER}:\n  ${this.#urlOf(code)}`,
    );
  }

  /** The file first: a token that could not be handed over would be nobody's. */
  #write(): void {
    const { tokens, logins, show } = this.#options;
    const token = newToken();
    const { code, info } = logins.createCode();
    try {
      this.#writeFile(token, code, info.until);
      this.#tokenId = tokens.create(LABEL, 'read_write', token).info.id;
      this.#code = code;
    } catch (error) {
      this.#takeBack(info.id);
      throw error;
    }
    show(
      `A first token for the API, and an address that logs you in at the page, are in ${this.#path}: ` +
        'its owner alone can read it, and it goes with their first use',
    );
  }

  #writeFile(token: string, code: string, until: string): void {
    const text =
      `A token for the API, of scope read_write and label "${LABEL}"; ${OTHERS}:\n  ${token}\n` +
      `The page, logged in once, until ${until}Z; ${ANOTHER}:\n  ${this.#urlOf(code)}\n` +
      'This file goes with the first use of either.\n';
    try {
      writeDataFile(this.#path, text);
    } catch (error) {
      throw new Error(`${this.#path} ${messageOf(error)}`);
    }
  }

  /** @param loginId of an address that nobody was told */
  #takeBack(loginId: number): void {
    this.#remove();
    try {
      this.#options.logins.revoke(loginId);
    } catch {
      // It ends by itself within 15 minutes, and the error to be told is the first one.
    }
  }

  /**
   * What an earlier process wrote, and nobody has used so far; it goes when its token is nobody's,
   * or in use.
   */
  #resume(): void {
    const text = this.#read();
    if (text === undefined) return;
    const [token = ''] = /balancer_[\w-]+/.exec(text) ?? [];
    const info = this.#options.tokens.peek(token);
    if (info?.used !== null) return this.#remove();
    this.#tokenId = info.id;
    this.#code = /code=([\w-]+)/.exec(text)?.[1];
  }

  #read(): string | undefined {
    try {
      return readDataFile(this.#path)?.toString();
    } catch {
      // Not a file of ours: said when one is to be written.
      return undefined;
    }
  }

  #remove(): void {
    this.#tokenId = undefined;
    this.#code = undefined;
    try {
      if (this.#read() !== undefined) rmSync(this.#path, { force: true });
    } catch (error) {
      this.#options.warn(`${this.#path} is of no more use and cannot be removed: ${messageOf(error)}`);
    }
  }

  #urlOf(code: string): string {
    return `${this.#options.pageUrl}${loginPath(code)}`;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
