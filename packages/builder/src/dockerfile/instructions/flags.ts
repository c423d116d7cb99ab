import { DockerfileError } from '../location.ts';
import { didYouMean } from '../suggest.ts';

type FlagKind = 'boolean' | 'text' | 'list';

/** What an instruction's flags came to. */
export class Flags {
  readonly #values = new Map<string, string[]>();

  /** Reads `--name=value` words against what the instruction knows. Throws a DockerfileError for the first that is wrong. */
  constructor(words: readonly string[], known: Readonly<Record<string, FlagKind>> = {}) {
    for (const word of words) {
      const at = word.indexOf('=');
      const flag = at < 0 ? word : word.slice(0, at);
      const name = flag.slice(2);
      const kind = Object.hasOwn(known, name) ? known[name] : undefined;
      if (kind === undefined) throw new DockerfileError(`unknown flag: ${flag}${didYouMean(name, Object.keys(known))}`);
      if (this.#values.has(name) && kind !== 'list') throw new DockerfileError(`duplicate flag specified: ${flag}`);
      const value = at < 0 ? undefined : word.slice(at + 1);
      const values = this.#values.get(name) ?? [];
      values.push(readValue(flag, kind, value));
      this.#values.set(name, values);
    }
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  text(name: string): string {
    return this.#values.get(name)?.[0] ?? '';
  }

  list(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  isTrue(name: string): boolean {
    return this.text(name) === 'true';
  }
}

function readValue(flag: string, kind: FlagKind, value: string | undefined): string {
  if (kind !== 'boolean') {
    if (value === undefined) throw new DockerfileError(`missing a value on flag: ${flag}`);
    return value;
  }
  if (value === '') throw new DockerfileError(`missing a value on flag: ${flag}`);
  const word = value?.toLowerCase() ?? 'true';
  if (word !== 'true' && word !== 'false') {
    throw new DockerfileError(`expecting boolean value for flag ${flag}, not: ${value}`);
  }
  return word;
}
