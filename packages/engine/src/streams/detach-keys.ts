import { WharfError } from '@wharf/kit';
import { MAX_DETACH_KEYS } from './limits.ts';

/** ctrl-p, ctrl-q. */
export const DEFAULT_DETACH_KEYS: Uint8Array = Uint8Array.of(16, 17);

const CONTROL_SYMBOLS = '[\\]^_';

function controlCode(key: string): number | undefined {
  const symbol = key.slice(5);
  if (key.length !== 6) return undefined;
  if (symbol === '@') return 0;
  if (symbol >= 'a' && symbol <= 'z') return symbol.charCodeAt(0) - 96;
  const at = CONTROL_SYMBOLS.indexOf(symbol);
  return at < 0 ? undefined : 27 + at;
}

function keyCode(key: string): number | undefined {
  if (key === 'DEL') return 127;
  if (key.length === 1 && key.charCodeAt(0) < 256) return key.charCodeAt(0);
  return key.startsWith('ctrl-') ? controlCode(key) : undefined;
}

/**
 * Parses Docker's notation of a key sequence (`ctrl-p,ctrl-q`, `a`, `ctrl-@`, `DEL`) into bytes. An empty text is an
 * empty sequence, which never matches. Throws `invalid-argument`; `noun` is `detach` for attach and `escape` for exec,
 * the words Docker uses.
 */
export function parseDetachKeys(text: string, noun: 'detach' | 'escape' = 'detach'): Uint8Array {
  if (text === '') return new Uint8Array(0);
  const keys = text.split(',');
  const codes: number[] = [];
  for (const key of keys) {
    const code = keyCode(key);
    if (code === undefined || keys.length > MAX_DETACH_KEYS) {
      throw new WharfError('invalid-argument', `Invalid ${noun} keys (${text}) provided`);
    }
    codes.push(code);
  }
  return Uint8Array.from(codes);
}

export interface DetachScan {
  /** What may go on to the process. */
  readonly forward: readonly Uint8Array[];
  readonly detached: boolean;
}

/**
 * Finds a key sequence in stdin. A prefix of it at the end of a chunk is held back until the next byte tells; when it
 * turns out not to be the sequence, it is forwarded before that byte.
 */
export class DetachMatcher {
  readonly #keys: Uint8Array;
  /** For each matched length, the longest proper prefix that is also a suffix (Knuth-Morris-Pratt). */
  readonly #fallback: readonly number[];
  #matched = 0;

  constructor(keys: Uint8Array) {
    this.#keys = keys;
    this.#fallback = fallbacks(keys);
  }

  /** Takes the next chunk of stdin. */
  scan(chunk: Uint8Array): DetachScan {
    const keys = this.#keys;
    if (keys.length === 0) return { forward: [chunk], detached: false };
    const heldBefore = this.#matched;
    let matched = heldBefore;
    for (let i = 0; i < chunk.length; i++) {
      while (matched > 0 && chunk[i] !== keys[matched]) matched = this.#fallback[matched] ?? 0;
      if (chunk[i] === keys[matched]) matched += 1;
      if (matched === keys.length) {
        this.#matched = 0;
        return { forward: this.#released(chunk, heldBefore, i + 1 - matched), detached: true };
      }
    }
    this.#matched = matched;
    return { forward: this.#released(chunk, heldBefore, chunk.length - matched), detached: false };
  }

  /** What was held back, for when stdin ends. */
  end(): Uint8Array {
    const held = this.#keys.subarray(0, this.#matched);
    this.#matched = 0;
    return held;
  }

  /** The held prefix and the chunk up to `end`, which is negative while part of the held bytes stays held. */
  #released(chunk: Uint8Array, held: number, end: number): readonly Uint8Array[] {
    const pieces = [this.#keys.subarray(0, held + Math.min(end, 0)), chunk.subarray(0, Math.max(end, 0))];
    return pieces.filter((piece) => piece.length > 0);
  }
}

function fallbacks(keys: Uint8Array): readonly number[] {
  const table = [0, 0];
  let length = 0;
  for (let i = 1; i < keys.length; i++) {
    while (length > 0 && keys[i] !== keys[length]) length = table[length] ?? 0;
    if (keys[i] === keys[length]) length += 1;
    table.push(length);
  }
  return table;
}
