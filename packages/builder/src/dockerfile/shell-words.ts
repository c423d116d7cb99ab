import { MAX_EXPANDED_LENGTH, MAX_EXPANSION_DEPTH, MAX_QUOTED_LENGTH } from './limits.ts';
import { DockerfileError } from './location.ts';
import { replaceMatches, trimPrefix, trimSuffix } from './shell-pattern.ts';

/** Where the values of variables come from. */
export type Variables = ReadonlyMap<string, string>;

export interface ExpandOptions {
  /** `\` or a backtick, as the Dockerfile's `escape` directive says; `\` when absent. */
  readonly escape?: string;
  /** Leaves quotes in the result. */
  readonly rawQuotes?: boolean;
  /** Leaves escape characters in the result. */
  readonly rawEscapes?: boolean;
  /** Takes quotes as any other character: the bodies of heredocs. */
  readonly ignoreQuotes?: boolean;
  /** Leaves `$name` as it is when the variable is unset. */
  readonly keepUnset?: boolean;
}

export interface Expansion {
  readonly text: string;
  /** The text cut at blanks outside of quotes, after expansion. */
  readonly words: readonly string[];
  /** Variables that were looked up and found, and those that were not. */
  readonly matched: ReadonlySet<string>;
  readonly unmatched: ReadonlySet<string>;
}

const NONE: Variables = new Map();
const SPACE = /\s/u;

/**
 * Expands variables and removes quotes in one word of a Dockerfile, as a POSIX shell does (Dockerfile reference, "Environment
 * replacement"): `$name`, `${name}`, and the modifiers `-`, `:-`, `+`, `:+`, `?`, `:?`, `#`, `##`, `%`, `%%`, `/`, `//`.
 * Throws a DockerfileError for an unfinished quote or brace, or where `?` demands a value.
 */
export function expand(source: string, variables: Variables = NONE, options: ExpandOptions = {}): Expansion {
  try {
    return new Expander(source, variables, options).run();
  } catch (error) {
    if (!(error instanceof DockerfileError)) throw error;
    throw new DockerfileError(`failed to process ${quote(source)}: ${error.message}`, error.location);
  }
}

/** Variables made of variables double with every line. */
function tooLong(): DockerfileError {
  return new DockerfileError(`the text is longer than ${MAX_EXPANDED_LENGTH} characters once variables are replaced`);
}

function quote(text: string): string {
  return JSON.stringify(text.length > MAX_QUOTED_LENGTH ? `${text.slice(0, MAX_QUOTED_LENGTH)}…` : text);
}

/** The expanded text alone. */
export function expandText(source: string, variables: Variables, options: ExpandOptions = {}): string {
  return expand(source, variables, options).text;
}

/** Collects words: a blank ends one unless it came out of quotes. */
class Words {
  readonly done: string[] = [];
  #current = '';

  add(text: string): void {
    for (const character of text) {
      if (!SPACE.test(character)) this.#current += character;
      else if (this.#current !== '') this.#flush();
    }
  }

  addRaw(text: string): void {
    this.#current += text;
  }

  finish(): readonly string[] {
    if (this.#current !== '') this.#flush();
    return this.done;
  }

  #flush(): void {
    this.done.push(this.#current);
    this.#current = '';
  }
}

class Expander {
  readonly #text: readonly string[];
  readonly #variables: Variables;
  readonly #options: ExpandOptions;
  readonly #escape: string;
  readonly #matched = new Set<string>();
  readonly #unmatched = new Set<string>();
  #rawEscapes: boolean;
  #at = 0;
  #depth = 0;

  constructor(source: string, variables: Variables, options: ExpandOptions) {
    this.#text = Array.from(source);
    this.#variables = variables;
    this.#options = options;
    this.#escape = options.escape ?? '\\';
    this.#rawEscapes = options.rawEscapes ?? false;
  }

  run(): Expansion {
    const { text, words } = this.#until(undefined, this.#rawEscapes);
    return { text, words, matched: this.#matched, unmatched: this.#unmatched };
  }

  get #peek(): string | undefined {
    return this.#text[this.#at];
  }

  #next(): string | undefined {
    const character = this.#text[this.#at];
    this.#at += 1;
    return character;
  }

  /** Reads up to `stop` (and past it), or to the end when there is none. */
  #until(stop: string | undefined, rawEscapes: boolean): { readonly text: string; readonly words: readonly string[] } {
    this.#depth += 1;
    if (this.#depth > MAX_EXPANSION_DEPTH) throw new DockerfileError('variables nest too deeply');
    const before = this.#rawEscapes;
    this.#rawEscapes = rawEscapes;
    const words = new Words();
    let text = '';
    for (;;) {
      const character = this.#peek;
      if (character === undefined) break;
      if (character === stop) {
        this.#at += 1;
        this.#rawEscapes = before;
        this.#depth -= 1;
        return { text, words: words.finish() };
      }
      text += this.#piece(character, words);
      if (text.length > MAX_EXPANDED_LENGTH) throw tooLong();
    }
    this.#rawEscapes = before;
    this.#depth -= 1;
    if (stop !== undefined) throw new UnfinishedError(stop);
    return { text, words: words.finish() };
  }

  #piece(character: string, words: Words): string {
    if (character === '$') {
      const value = this.#dollar();
      words.add(value);
      return value;
    }
    const special = this.#special(character);
    if (special !== undefined) {
      words.addRaw(special);
      return special;
    }
    this.#at += 1;
    if (character !== this.#escape) {
      words.add(character);
      return character;
    }
    const kept = this.#rawEscapes ? character : '';
    const next = this.#next();
    words.addRaw(kept + (next ?? ''));
    return kept + (next ?? '');
  }

  #special(character: string): string | undefined {
    if (character === '<') return this.#possibleHeredoc();
    if (this.#options.ignoreQuotes === true) return undefined;
    if (character === "'") return this.#singleQuoted();
    return character === '"' ? this.#doubleQuoted() : undefined;
  }

  /** `<< WORD` is one word: the blank between belongs to the heredoc. */
  #possibleHeredoc(): string {
    this.#at += 1;
    if (this.#peek !== '<') return '<';
    this.#at += 1;
    let space = '';
    while (this.#peek !== undefined && /[\t\r ]/.test(this.#peek)) space += this.#next();
    return `<<${space}`;
  }

  #singleQuoted(): string {
    const quote = this.#options.rawQuotes === true ? "'" : '';
    this.#at += 1;
    let text = quote;
    for (;;) {
      const character = this.#next();
      if (character === undefined)
        throw new DockerfileError('unexpected end of statement while looking for matching single-quote');
      if (character === "'") return text + quote;
      text += character;
    }
  }

  #doubleQuoted(): string {
    const quote = this.#options.rawQuotes === true ? '"' : '';
    this.#at += 1;
    let text = quote;
    for (;;) {
      const character = this.#peek;
      if (character === undefined)
        throw new DockerfileError('unexpected end of statement while looking for matching double-quote');
      if (character === '$') {
        text += this.#dollar();
        if (text.length > MAX_EXPANDED_LENGTH) throw tooLong();
        continue;
      }
      this.#at += 1;
      if (character === '"') return text + quote;
      if (character !== this.#escape) {
        text += character;
        continue;
      }
      if (this.#rawEscapes) text += character;
      const next = this.#peek;
      if (next === undefined) continue;
      // Only these can be escaped here; before anything else the escape character stands for itself.
      text += next === '"' || next === '$' || next === this.#escape ? this.#next() : character;
    }
  }

  #dollar(): string {
    this.#at += 1;
    if (this.#peek !== '{') {
      const name = this.#name();
      if (name === '') return '$';
      const value = this.#lookUp(name);
      return value === undefined && this.#options.keepUnset === true ? `$${name}` : (value ?? '');
    }
    this.#at += 1;
    if (this.#peek === undefined) throw new DockerfileError("syntax error: missing '}'");
    if (['{', '}', ':'].includes(this.#peek)) throw new DockerfileError('syntax error: bad substitution');
    return this.#braced(this.#name());
  }

  #braced(name: string): string {
    const operator = this.#next();
    switch (operator) {
      case '}': {
        const value = this.#lookUp(name);
        return value === undefined && this.#options.keepUnset === true ? `\${${name}}` : (value ?? '');
      }
      case ':':
        return this.#modified(name, this.#next() ?? '', true);
      case '+':
      case '-':
      case '?':
      case '#':
      case '%':
        return this.#modified(name, operator, false);
      case '/':
        return this.#replaced(name);
      default:
        throw new DockerfileError(
          operator === undefined ? "syntax error: missing '}'" : `unsupported modifier (${operator}) in substitution`,
        );
    }
  }

  #modified(name: string, operator: string, emptyIsUnset: boolean): string {
    const written = `${emptyIsUnset ? ':' : ''}${operator}`;
    const isTrim = operator === '#' || operator === '%';
    if (emptyIsUnset && isTrim) throw new DockerfileError(`unsupported modifier (${written}) in substitution`);
    const word = this.#operand('}', isTrim, "syntax error: missing '}'");
    const value = this.#lookUp(name);
    if (value === undefined && this.#options.keepUnset === true) return `\${${name}${written}${word}}`;
    const absent = value === undefined || (emptyIsUnset && value === '');
    switch (operator) {
      case '-':
        return absent ? word : value;
      case '+':
        return absent ? '' : word;
      case '?':
        if (!absent) return value;
        throw new DockerfileError(
          `${name}: ${word === '' ? `is not allowed to be ${value === undefined ? 'unset' : 'empty'}` : word}`,
        );
      case '#':
      case '%': {
        const greedy = word.startsWith(operator);
        const pattern = greedy ? word.slice(1) : word;
        return (operator === '#' ? trimPrefix : trimSuffix)(pattern, value ?? '', greedy);
      }
      default:
        throw new DockerfileError(`unsupported modifier (${written}) in substitution`);
    }
  }

  #replaced(name: string): string {
    const every = this.#peek === '/';
    if (every) this.#at += 1;
    const pattern = this.#operand('/', true, "syntax error: missing '/' in ${}");
    const replacement = this.#operand('}', true, "syntax error: missing '}'");
    const value = this.#lookUp(name);
    if (value === undefined && this.#options.keepUnset === true) return `\${${name}/${pattern}/${replacement}}`;
    return replaceMatches(pattern, value ?? '', replacement, every);
  }

  #operand(stop: string, rawEscapes: boolean, unfinished: string): string {
    try {
      return this.#until(stop, rawEscapes).text;
    } catch (error) {
      throw error instanceof UnfinishedError ? new DockerfileError(unfinished) : error;
    }
  }

  /** A name, a number, or one of the shell's special parameters; empty when nothing of the kind follows. */
  #name(): string {
    const first = this.#peek;
    if (first === undefined) return '';
    if (/[0-9]/.test(first)) return this.#take(/[0-9]/);
    if ('@*#?-$!'.includes(first)) return this.#next() ?? '';
    return this.#take(/[\p{L}\p{Nd}_]/u);
  }

  #take(kind: RegExp): string {
    let text = '';
    while (this.#peek !== undefined && kind.test(this.#peek)) text += this.#next();
    return text;
  }

  #lookUp(name: string): string | undefined {
    const value = this.#variables.get(name);
    (value === undefined ? this.#unmatched : this.#matched).add(name);
    return value;
  }
}

class UnfinishedError extends DockerfileError {
  constructor(stop: string) {
    super(`unexpected end of statement while looking for matching ${stop}`);
  }
}
