import type { Digest } from '@wharf/kit';

/** Sets of texts by key; a key without members takes no memory. */
export class SetMap {
  readonly #sets = new Map<string, Set<string>>();

  add(key: string, member: string): void {
    const found = this.#sets.get(key);
    if (found === undefined) this.#sets.set(key, new Set([member]));
    else found.add(member);
  }

  delete(key: string, member: string): void {
    const found = this.#sets.get(key);
    if (found?.delete(member) && found.size === 0) this.#sets.delete(key);
  }

  get(key: string): ReadonlySet<string> {
    return this.#sets.get(key) ?? NONE;
  }

  has(key: string): boolean {
    return this.#sets.has(key);
  }
}

const NONE: ReadonlySet<string> = new Set();

/** The key of something that a repository names by digest. Names hold no `@`. */
export function digestKey(repository: string, digest: Digest): string {
  return `${repository}@${digest}`;
}

/** The key of a tag. Names hold no `:`. */
export function tagKey(repository: string, tag: string): string {
  return `${repository}:${tag}`;
}
