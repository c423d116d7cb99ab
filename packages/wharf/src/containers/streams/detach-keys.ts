import { WharfError } from '@wharf/kit/errors';

/** ctrl-p, ctrl-q. */
const DEFAULT_KEYS = Buffer.from([16, 17]);
const CONTROL = '@abcdefghijklmnopqrstuvwxyz[\\]^_';

/** The bytes of `ctrl-p,ctrl-q`, `a,b`, `DEL`: what leaves a container when it is typed. Throws for a key that is none. */
export function parseDetachKeys(text: string): Buffer {
  if (text === '') return DEFAULT_KEYS;
  return Buffer.from(
    text.split(',').map((key) => {
      const control = /^ctrl-(.)$/.exec(key)?.[1];
      const code = control === undefined ? -1 : CONTROL.indexOf(control);
      if (code >= 0) return code;
      if (key === 'DEL') return 127;
      const [byte = 0, ...more] = Buffer.from(key);
      if (key === '' || more.length > 0) throw new WharfError('invalid-argument', `Unknown character: '${key}'`);
      return byte;
    }),
  );
}

export interface Passed {
  /** What may go on to the container. */
  readonly bytes: Buffer;
  /** The keys were typed; what came after them is dropped. */
  readonly isDetached: boolean;
}

/** Looks for the keys in what is typed. What may be their begin is kept back until it is known not to be. */
export class DetachFilter {
  readonly #keys: Buffer;
  #matched = 0;

  constructor(keys: Buffer) {
    this.#keys = keys;
  }

  push(chunk: Buffer): Passed {
    const parts: Buffer[] = [];
    let from = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      if (chunk[at] !== this.#keys[this.#matched] && this.#matched > 0) {
        // Of the keys that came in an earlier piece none is in this one.
        const earlier = this.#matched - (at - from);
        if (earlier > 0) parts.push(this.#keys.subarray(0, earlier));
        this.#matched = 0;
      }
      if (chunk[at] !== this.#keys[this.#matched]) {
        parts.push(chunk.subarray(from, at + 1));
        from = at + 1;
        continue;
      }
      if (this.#matched === 0) {
        parts.push(chunk.subarray(from, at));
        from = at;
      }
      this.#matched += 1;
      if (this.#matched === this.#keys.length) return { bytes: Buffer.concat(parts), isDetached: true };
    }
    return { bytes: parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts), isDetached: false };
  }
}
