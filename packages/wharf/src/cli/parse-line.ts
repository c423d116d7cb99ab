import { messageOf } from '@wharf/kit/errors';
import { FlagError } from './errors.ts';
import { absentValue, bareValue, nextValue } from './flag-value.ts';
import type { Flag, FlagTable } from './flags.ts';
import { meantWord } from './meant-word.ts';

export interface ParsedLine {
  readonly values: Readonly<Record<string, unknown>>;
  /** The long names of the flags that were given. */
  readonly given: ReadonlySet<string>;
  readonly positionals: readonly string[];
  /** How many arguments stood before `--`; `undefined` without one. */
  readonly beforeDash: number | undefined;
  readonly help: boolean;
  /** Complaints about flags that are going away. */
  readonly warnings: readonly string[];
}

export interface ParseOptions {
  /** `false`: the first argument ends the flags. */
  readonly interspersed: boolean;
}

/** Reads a line by the rules of Go's pflag, in its words. Throws FlagError. */
export function parseLine(table: FlagTable, line: readonly string[], { interspersed }: ParseOptions): ParsedLine {
  const reader = new LineReader(table, line);
  reader.read(interspersed);
  const values: Record<string, unknown> = {};
  for (const [name, flag] of Object.entries(table)) {
    values[name] = reader.values.has(name) ? reader.values.get(name) : absentValue(flag);
  }
  const { positionals, beforeDash, help, warnings } = reader;
  return { values, given: new Set(reader.values.keys()), positionals, beforeDash, help, warnings };
}

class LineReader {
  readonly values = new Map<string, unknown>();
  readonly positionals: string[] = [];
  readonly warnings: string[] = [];
  beforeDash: number | undefined;
  help = false;
  readonly #table: FlagTable;
  readonly #rest: string[];

  constructor(table: FlagTable, line: readonly string[]) {
    this.#table = table;
    this.#rest = [...line];
  }

  read(interspersed: boolean): void {
    for (let word = this.#rest.shift(); word !== undefined; word = this.#rest.shift()) {
      if (word === '--') {
        this.beforeDash = this.positionals.length;
        this.positionals.push(...this.#rest);
        return;
      }
      if (word.startsWith('--')) this.#long(word);
      else if (word.startsWith('-') && word !== '-') this.#shorts(word.slice(1));
      else {
        this.positionals.push(word);
        if (interspersed) continue;
        this.positionals.push(...this.#rest);
        return;
      }
    }
  }

  #long(word: string): void {
    const text = word.slice(2);
    if (text.startsWith('-') || text.startsWith('=')) throw new FlagError(`bad flag syntax: ${word}`);
    const equals = text.indexOf('=');
    const name = equals < 0 ? text : text.slice(0, equals);
    const flag = Object.hasOwn(this.#table, name) ? this.#table[name] : undefined;
    if (flag === undefined) {
      if (name === 'help') {
        this.#setHelp(equals < 0 ? 'true' : text.slice(equals + 1));
        return;
      }
      const shown = Object.entries(this.#table).filter(([, each]) => each.hidden === undefined);
      const meant = meantWord(
        name,
        shown.map(([each]) => each),
      );
      throw new FlagError(`unknown flag: --${name}`, meant === undefined ? undefined : `Did you mean --${meant}?`);
    }
    const value = equals < 0 ? (bareValue(flag) ?? this.#rest.shift()) : text.slice(equals + 1);
    if (value === undefined) throw new FlagError(`flag needs an argument: ${word}`);
    this.#take(name, flag, value);
  }

  /** `-it`, `-fname=x`, `-f name=x`, `-f=name=x`. */
  #shorts(letters: string): void {
    for (let rest = letters; rest !== ''; ) {
      const letter = rest.charAt(0);
      const found = Object.entries(this.#table).find(([, { short }]) => short === letter);
      if (found === undefined) {
        if (letter !== 'h') throw new FlagError(`unknown shorthand flag: '${letter}' in -${rest}`);
        this.warnings.push('Flag shorthand -h has been deprecated, use --help');
        this.help = true;
        rest = rest.slice(1);
        continue;
      }
      const [name, flag] = found;
      const bare = bareValue(flag);
      if (rest.length > 2 && rest.charAt(1) === '=') {
        this.#take(name, flag, rest.slice(2));
        return;
      }
      if (bare !== undefined) {
        this.#take(name, flag, bare);
        rest = rest.slice(1);
        continue;
      }
      const value = rest.length > 1 ? rest.slice(1) : this.#rest.shift();
      if (value === undefined) throw new FlagError(`flag needs an argument: '${letter}' in -${rest}`);
      this.#take(name, flag, value);
      return;
    }
  }

  #take(name: string, flag: Flag, text: string): void {
    const before = this.values.has(name) ? this.values.get(name) : absentValue(flag);
    try {
      this.values.set(name, nextValue(flag, before, text));
    } catch (error) {
      throw badValue(text, shownName(name, flag), messageOf(error));
    }
    if (flag.deprecated !== undefined) {
      this.warnings.push(`Flag --${name} has been deprecated, ${flag.deprecated}`);
    }
  }

  #setHelp(text: string): void {
    try {
      this.help = nextValue({ kind: 'bool', help: '' }, false, text) === true;
    } catch (error) {
      throw badValue(text, '--help', messageOf(error));
    }
  }
}

function shownName(name: string, { short, deprecated }: Flag): string {
  return short === undefined || deprecated !== undefined ? `--${name}` : `-${short}, --${name}`;
}

function badValue(text: string, shown: string, why: string): FlagError {
  return new FlagError(`invalid argument ${JSON.stringify(text)} for "${shown}" flag: ${why}`);
}
