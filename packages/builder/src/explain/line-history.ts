import { createHash, randomBytes } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MAX_LINE_HISTORIES, MAX_LINE_HISTORY_BYTES } from '../limits.ts';
import type { KeyParts } from '../solver/solver.ts';

/** What a line of a Dockerfile came to in a build. */
export interface LineRecord {
  readonly stage: string;
  /** Its place among the steps of its stage. */
  readonly index: number;
  readonly text: string;
  readonly parts: KeyParts;
  /** How the tree below is called: `FROM …`, or the step that made it. */
  readonly base: string;
}

/**
 * What the lines of a Dockerfile came to when it was built last, and what its context held then; to tell afterwards what has changed.
 * Nothing but explanations depends on it: what is lost is explained as new.
 */
export class LineHistories {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  /** The lines of the last build of that name; none of an unknown one. */
  read(name: string): readonly LineRecord[] {
    try {
      return JSON.parse(readFileSync(this.#path(name, 'json'), 'utf8')) as readonly LineRecord[];
    } catch {
      return [];
    }
  }

  /** The index of a context as it was then; `undefined` without one. */
  indexPath(name: string, context: string): string | undefined {
    const path = this.#path(`${name}\0${context}`, 'index');
    return existsSync(path) ? path : undefined;
  }

  /** Keeps what a build came to, with the indexes of its contexts as they are now. */
  async write(name: string, lines: readonly LineRecord[], indexes: ReadonlyMap<string, string>): Promise<void> {
    const text = JSON.stringify(lines);
    if (text.length > MAX_LINE_HISTORY_BYTES) return;
    mkdirSync(this.#root, { recursive: true, mode: 0o700 });
    const path = this.#path(name, 'json');
    if (!existsSync(path) || readFileSync(path, 'utf8') !== text) {
      const temporary = join(this.#root, `.${randomBytes(8).toString('hex')}`);
      writeFileSync(temporary, text, { mode: 0o600 });
      renameSync(temporary, path);
    }
    for (const [context, index] of indexes) this.#keepIndex(index, this.#path(`${name}\0${context}`, 'index'));
    await this.#limit();
  }

  /** An index is replaced when it changes, never written to: a link keeps what it says now. */
  #keepIndex(index: string, path: string): void {
    const now = statSync(index, { throwIfNoEntry: false });
    if (now === undefined || now.ino === statSync(path, { throwIfNoEntry: false })?.ino) return;
    const temporary = join(this.#root, `.${randomBytes(8).toString('hex')}`);
    linkSync(index, temporary);
    renameSync(temporary, path);
  }

  /** Those that were not written for longest go. */
  async #limit(): Promise<void> {
    const names = await readdir(this.#root);
    if (names.length <= MAX_LINE_HISTORIES * 2) return;
    const files = await Promise.all(
      names.map(async (each) => ({
        each,
        at: (await stat(join(this.#root, each)).catch(() => undefined))?.mtimeMs ?? 0,
      })),
    );
    const oldest = files.toSorted((left, right) => left.at - right.at).slice(0, names.length - MAX_LINE_HISTORIES);
    for (const { each } of oldest) await rm(join(this.#root, each), { force: true });
  }

  #path(name: string, kind: 'json' | 'index'): string {
    return join(this.#root, `${createHash('sha256').update(name).digest('hex')}.${kind}`);
  }
}
