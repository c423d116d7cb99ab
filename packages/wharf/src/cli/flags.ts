/** A flag of a command, as the Go clients declare theirs (package pflag): the kind decides how a value is read and what the help calls it. */
interface FlagBase {
  /** One letter. */
  readonly short?: string;
  readonly help: string;
  /** What the help calls a value, where it is not the kind's own word ("list", "string", …). */
  readonly type?: string;
  /** The default as the help shows it; needed only where it is not that of the kind. */
  readonly shownDefault?: string;
  /** The value of the flag without `=value`; makes the value one that needs `=`. */
  readonly bare?: string;
  /** Understood, and left out of the help. */
  readonly hidden?: true;
  /** Understood, hidden, and complained of: `Flag --x has been deprecated, …`. */
  readonly deprecated?: string;
  /** What the shell may offer as its value. */
  readonly complete?: Completion;
}

/** Reads one value; what it throws becomes `invalid argument "x" for "--flag" flag: …`. */
type ValueParser = (text: string) => unknown;

interface BoolFlag extends FlagBase {
  readonly kind: 'bool';
  readonly default?: boolean;
}

interface StringFlag extends FlagBase {
  readonly kind: 'string';
  /** Without one, the value of a flag that was not given is `undefined`. */
  readonly default?: string;
  readonly parse?: ValueParser;
}

/**
 * `int`: Go's ParseInt, `uint`: ParseUint, both in any of Go's bases; `duration`: nanoseconds; `bytes`: docker's sizes in steps of 1024;
 * `count`: how often the flag came.
 */
interface NumberFlag extends FlagBase {
  readonly kind: 'int' | 'uint' | 'duration' | 'bytes' | 'count';
  /** Without one, the value of a flag that was not given is `undefined` (0 for `count`). */
  readonly default?: number;
}

/** `list`: may come several times, each value whole; `strings`: the same, each value a line of CSV. */
interface ListFlag extends FlagBase {
  readonly kind: 'list' | 'strings';
  readonly parse?: ValueParser;
}

/** `KEY=VALUE`, several times; the last of a key counts. */
interface MapFlag extends FlagBase {
  readonly kind: 'map';
}

export type Flag = BoolFlag | StringFlag | NumberFlag | ListFlag | MapFlag;

/** The flags of a command by their long name. Declare with `as const satisfies FlagTable`. */
export type FlagTable = Readonly<Record<string, Flag>>;

type Parsed<F> = F extends { readonly parse: (text: string) => infer Value } ? Value : string;
type Absent<F> = F extends { readonly default: unknown } ? never : undefined;

type ValueOf<F extends Flag> = F extends { readonly kind: 'bool' }
  ? boolean
  : F extends { readonly kind: 'list' | 'strings' }
    ? readonly Parsed<F>[]
    : F extends { readonly kind: 'map' }
      ? Readonly<Record<string, string>>
      : F extends { readonly kind: 'count' }
        ? number
        : F extends { readonly kind: 'string' }
          ? Parsed<F> | Absent<F>
          : number | Absent<F>;

/** The values of a command's flags by their long name. */
export type FlagValues<T extends FlagTable> = { readonly [Name in keyof T]: ValueOf<T[Name]> };

/** What the shell may offer: fixed words, files, directories, or names that the daemon knows. */
export type Completion =
  | readonly string[]
  | 'file'
  | 'directory'
  | 'none'
  | 'container'
  | 'running-container'
  | 'stopped-container'
  | 'image'
  | 'network'
  | 'volume'
  | 'context'
  | 'builder-cache'
  | 'service'
  | 'profile';
