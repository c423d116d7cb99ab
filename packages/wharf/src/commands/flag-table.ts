import { nearest } from '@wharf/builder/dockerfile/suggest';
import { WharfError } from '@wharf/kit';

/** A flag of a command, as docker's clients spell theirs. */
export interface Flag {
  readonly short?: string;
  /** A `switch` takes no value, but may be given `=false`; a `list` may come several times. */
  readonly kind: 'switch' | 'text' | 'list';
  /** What a value is called in the help. */
  readonly value?: string;
  readonly help: string;
  /** What is taken when the flag comes without `=value`; makes the value one that needs `=`. */
  readonly bare?: string;
  /** Understood, and left out of the help. */
  readonly hidden?: true;
}

export type FlagTable = Readonly<Record<string, Flag>>;

type ValueOf<F extends Flag> = F['kind'] extends 'switch'
  ? boolean | undefined
  : F['kind'] extends 'list'
    ? readonly string[]
    : string | undefined;

export type FlagValues<T extends FlagTable> = { readonly [Name in keyof T]: ValueOf<T[Name]> };

export interface ParsedLine<T extends FlagTable> {
  readonly values: FlagValues<T>;
  readonly positionals: readonly string[];
  /** `--help` or `-h` was among them. */
  readonly help: boolean;
}

/** A line that makes no sense; the exit status is 125 as docker's, after the text. */
export class UsageError extends WharfError {
  constructor(message: string, hint?: string) {
    super('invalid-argument', message, hint === undefined ? {} : { hint });
    this.name = 'UsageError';
  }
}

/** Reads a command's line: flags may stand anywhere before `--`. Throws UsageError, with the nearest flag for one that is not known. */
export function parseFlags<const T extends FlagTable>(table: T, line: readonly string[]): ParsedLine<T> {
  const reader = new LineReader(table, line);
  reader.read();
  const values = Object.fromEntries(
    Object.entries(table).map(([name, { kind }]) => [
      name,
      reader.values.get(name) ?? (kind === 'list' ? [] : undefined),
    ]),
  );
  return { values: values as FlagValues<T>, positionals: reader.positionals, help: reader.help };
}

class LineReader {
  readonly values = new Map<string, string | boolean | string[]>();
  readonly positionals: string[] = [];
  help = false;
  readonly #table: FlagTable;
  readonly #rest: string[];

  constructor(table: FlagTable, line: readonly string[]) {
    this.#table = table;
    this.#rest = [...line];
  }

  read(): void {
    for (let word = this.#rest.shift(); word !== undefined; word = this.#rest.shift()) {
      if (word === '--') {
        this.positionals.push(...this.#rest);
        return;
      }
      if (word === '--help' || word === '-h') this.help = true;
      else if (word.startsWith('--')) this.#long(word.slice(2));
      else if (word.startsWith('-') && word !== '-') this.#short(word.slice(1));
      else this.positionals.push(word);
    }
  }

  #long(text: string): void {
    const equals = text.indexOf('=');
    const name = equals < 0 ? text : text.slice(0, equals);
    const given = equals < 0 ? undefined : text.slice(equals + 1);
    const flag = Object.hasOwn(this.#table, name) ? this.#table[name] : undefined;
    if (flag === undefined) {
      const meant = nearest(name, Object.keys(this.#table));
      throw new UsageError(`unknown flag: --${name}`, meant === undefined ? undefined : `Did you mean --${meant}?`);
    }
    this.#take(name, flag, given, `--${name}`);
  }

  /** `-qt name`, `-tname`, `-t=name`. */
  #short(letters: string): void {
    for (let at = 0; at < letters.length; at += 1) {
      const letter = letters[at] ?? '';
      const found = Object.entries(this.#table).find(([, { short }]) => short === letter);
      if (found === undefined) throw new UsageError(`unknown shorthand flag: '${letter}' in -${letters}`);
      const [name, flag] = found;
      const after = letters.slice(at + 1);
      if (flag.kind === 'switch') {
        this.#take(name, flag, after.startsWith('=') ? after.slice(1) : undefined, `-${letter}`);
        if (after.startsWith('=')) return;
        continue;
      }
      this.#take(name, flag, after === '' ? undefined : after.replace(/^=/, ''), `-${letter}`);
      return;
    }
  }

  #take(name: string, flag: Flag, given: string | undefined, shown: string): void {
    if (flag.kind === 'switch') {
      this.values.set(name, truth(given ?? 'true', shown));
      return;
    }
    const value = given ?? flag.bare ?? this.#rest.shift();
    if (value === undefined) throw new UsageError(`flag needs an argument: ${shown}`);
    if (flag.kind === 'text') this.values.set(name, value);
    else {
      const list = this.values.get(name);
      if (Array.isArray(list)) list.push(value);
      else this.values.set(name, [value]);
    }
  }
}

const TRUE = new Set(['1', 't', 'T', 'true', 'TRUE', 'True']);
const FALSE = new Set(['0', 'f', 'F', 'false', 'FALSE', 'False']);

/** Go's strconv.ParseBool; `undefined` for what is neither. */
export function parseBoolean(text: string): boolean | undefined {
  if (TRUE.has(text)) return true;
  return FALSE.has(text) ? false : undefined;
}

function truth(text: string, shown: string): boolean {
  const value = parseBoolean(text);
  if (value === undefined) throw new UsageError(`invalid argument "${text}" for "${shown}" flag: it is true or false`);
  return value;
}

/** The flags of a command for its help, one line each. */
export function flagHelp(table: FlagTable): readonly string[] {
  const rows = Object.entries(table)
    .filter(([, { hidden }]) => hidden !== true)
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, { short, kind, value, help }]) => {
      const left = `${short === undefined ? '    ' : `-${short}, `}--${name}${kind === 'switch' ? '' : ` ${value ?? kind}`}`;
      return [left, help] as const;
    });
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, help]) => `  ${left.padEnd(width)}   ${help}`);
}
