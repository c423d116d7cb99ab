import { Problem } from './problem.ts';
import { InvalidTemplate, type Lookup, MissingVariable, substitute } from './template.ts';

export interface DotenvOptions {
  /** As messages name it. */
  readonly file: string;
  /** Asked before the file's own variables. */
  readonly lookup: Lookup;
  readonly unset?: (name: string) => void;
}

const SPACES = /[\t\v\f\r \u0085\u00a0]/;
const ESCAPES = /\\(?:[abcfnrtv$"\\]|0\d{0,3})/g;
const ESCAPED: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '"': '"',
  '\\': '\\',
};

/**
 * Reads a file of variables in compose's grammar into `into`: `NAME=value`, `NAME: value`, `export NAME=value`, a bare
 * `NAME` (taken from `lookup`), single quotes (as they are), double quotes (escapes and variables), values over several
 * lines in quotes, ` #` comments after unquoted values, variables in unquoted and double quoted values.
 * Throws a `Problem` (`line N: unexpected character "…" in variable name "…"`).
 */
export function parseDotenv(source: string, into: Map<string, string>, options: DotenvOptions): void {
  new DotenvParser(source, into, options).run();
}

class DotenvParser {
  readonly #source: string;
  readonly #into: Map<string, string>;
  readonly #options: DotenvOptions;
  #at = 0;
  #line = 1;

  constructor(source: string, into: Map<string, string>, options: DotenvOptions) {
    this.#source = source.charCodeAt(0) === 0xfeff ? source.slice(1) : source;
    this.#into = into;
    this.#options = options;
  }

  run(): void {
    while (this.#findStatement()) {
      const { key, inherited } = this.#name();
      if (key.includes(' ')) throw this.#problem('key cannot contain a space');
      if (inherited) {
        const value = this.#options.lookup(key);
        if (value !== undefined) this.#into.set(key, value);
        continue;
      }
      this.#into.set(key, this.#value());
    }
  }

  /** Passes blank lines and comments; false at the end. */
  #findStatement(): boolean {
    for (;;) {
      while (this.#at < this.#source.length && /\s|\u0085/.test(this.#char())) {
        if (this.#char() === '\n') this.#line += 1;
        this.#at += 1;
      }
      if (this.#at >= this.#source.length) return false;
      if (this.#char() !== '#') return true;
      const end = this.#source.indexOf('\n', this.#at);
      if (end === -1) return false;
      this.#at = end;
    }
  }

  #name(): { key: string; inherited: boolean } {
    const prefix = /^export\s+/.exec(this.#source.slice(this.#at, this.#at + 256));
    if (prefix !== null) {
      this.#at += 'export'.length;
      this.#skipSpaces();
    }
    const start = this.#at;
    for (let i = start; i < this.#source.length; i += 1) {
      const char = this.#source[i] ?? '';
      if (SPACES.test(char)) continue;
      if (char === '=' || char === ':' || char === '\n') {
        const key = this.#source.slice(start, i);
        if (char === '\n' && !key.includes(' ')) this.#line += 1;
        this.#at = i + 1;
        this.#skipSpaces();
        return { key: key.trimEnd(), inherited: char === '\n' };
      }
      if (!/[_.\-[\]\p{L}\p{N}]/u.test(String.fromCodePoint(this.#source.codePointAt(i) ?? 0)))
        this.#refuse(char, start);
      if ((this.#source.codePointAt(i) ?? 0) > 0xffff) i += 1;
    }
    // The last line without an end: compose drops the name, and reads the line once more as a value of none.
    const key = this.#source.slice(start).trimEnd();
    this.#at = this.#source.length;
    return { key, inherited: true };
  }

  #refuse(char: string, start: number): never {
    const line = this.#source.slice(start).split('\n')[0] ?? '';
    throw this.#problem(`unexpected character ${JSON.stringify(char)} in variable name ${JSON.stringify(line)}`);
  }

  #value(): string {
    const quote = this.#char();
    if (quote !== '"' && quote !== "'") return this.#plainValue();
    const start = this.#at;
    let text = '';
    let escaped = false;
    for (let i = start + 1; i < this.#source.length; i += 1) {
      const char = this.#source[i] ?? '';
      if (char === '\n') this.#line += 1;
      if (char === quote && !escaped) {
        this.#at = i + 1;
        return quote === '"' ? this.#expand(expandEscapes(text)) : text;
      }
      if (char === '\\' && !escaped) {
        escaped = true;
        continue;
      }
      if (escaped && char !== quote) text += '\\';
      escaped = false;
      text += char;
    }
    const end = this.#source.indexOf('\n', start);
    throw this.#problem(`unterminated quoted value ${this.#source.slice(start, end === -1 ? undefined : end)}`);
  }

  #plainValue(): string {
    const end = this.#source.indexOf('\n', this.#at);
    const line = this.#source.slice(this.#at, end === -1 ? undefined : end);
    this.#at = end === -1 ? this.#source.length : end + 1;
    this.#line += 1;
    const comment = line.indexOf(' #');
    return this.#expand((comment === -1 ? line : line.slice(0, comment)).replace(/[\s\u0085]+$/u, ''));
  }

  #expand(text: string): string {
    const lookup: Lookup = (name) => this.#options.lookup(name) ?? this.#into.get(name);
    try {
      return substitute(text, { lookup, unset: this.#options.unset });
    } catch (error) {
      if (!(error instanceof InvalidTemplate || error instanceof MissingVariable)) throw error;
      const { file } = this.#options;
      throw new Problem(`failed to read ${file}: ${error.message}`, { at: { file, line: this.#line, column: 1 } });
    }
  }

  #skipSpaces(): void {
    while (this.#at < this.#source.length && SPACES.test(this.#char())) this.#at += 1;
  }

  #char(): string {
    return this.#source[this.#at] ?? '';
  }

  #problem(reason: string): Problem {
    return new Problem(`failed to read ${this.#options.file}: line ${this.#line}: ${reason}`, {
      at: { file: this.#options.file, line: this.#line, column: 1 },
    });
  }
}

/** The escapes of Go's strings that compose knows; `\$` becomes `$$`, a dollar sign once variables are replaced. */
function expandEscapes(text: string): string {
  return text.replace(ESCAPES, (match) => {
    const rest = match.slice(1);
    if (rest === '$') return '$$';
    if (!rest.startsWith('0')) return ESCAPED[rest] ?? match;
    const octal = rest.slice(1);
    return /^[0-3][0-7]{2}$/.test(octal) ? String.fromCharCode(Number.parseInt(octal, 8)) : match;
  });
}

/**
 * Reads a file of variables as `docker run --env-file` does (`format: raw`): lines `NAME=value` taken as they are, a bare
 * `NAME` from `lookup`, `#` comments at the start of a line.
 */
export function parseRawEnv(source: string, into: Map<string, string>, options: DotenvOptions): void {
  const text = source.charCodeAt(0) === 0xfeff ? source.slice(1) : source;
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.replace(/^[ \t]+/, '');
    if (line === '' || line.startsWith('#')) continue;
    const at = line.indexOf('=');
    const key = at === -1 ? line : line.slice(0, at);
    const place = { file: options.file, line: index + 1, column: 1 };
    if (key === '')
      throw new Problem(`failed to parse env_file ${options.file}: no variable name on line '${line}'`, { at: place });
    if (/[ \t]/.test(key))
      throw new Problem(`failed to parse env_file ${options.file}: variable '${key}' contains whitespaces`, {
        at: place,
      });
    const value = at === -1 ? options.lookup(key) : line.slice(at + 1);
    if (value !== undefined) into.set(key, value);
  }
}
