import { randomBytes } from 'node:crypto';

declare const brand: unique symbol;
/** A string that carries a compile-time tag, so that ids of different things never mix. */
export type Branded<T extends string> = string & { readonly [brand]: T };

/** 64 hex digits, as Docker's container ids. */
export type ContainerId = Branded<'container'>;
/** 64 hex digits, as Docker's network ids. */
export type NetworkId = Branded<'network'>;
/** 64 hex digits. */
export type ExecId = Branded<'exec'>;

/** A new random id of 64 hex digits. Never all digits in its short form, which clients would read as a number. */
export function newId<T extends string>(): Branded<T> {
  for (;;) {
    const id = randomBytes(32).toString('hex');
    if (!/^\d{12}/.test(id)) return id as Branded<T>;
  }
}

/** The first twelve digits, as Docker prints ids and as it sets the hostname. */
export function shortId(id: string): string {
  return id.replace(/^sha256:/, '').slice(0, 12);
}
