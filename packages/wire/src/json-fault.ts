/** What keeps a text from being one JSON document, in the words of Go's `encoding/json`. */
export type JsonFault =
  /** The first document ends at `end`, and something follows it. */
  { readonly kind: 'trailing'; readonly end: number } | { readonly kind: 'syntax'; readonly message: string };

/** Carries the sentence up to `findJsonFault`. */
class Fault extends Error {}

/**
 * Says why `JSON.parse` refused a text, as Go says it, for clients that know those sentences. A nesting too deep for the
 * stack is reported as Go does beyond its own bound.
 */
export function findJsonFault(text: string): JsonFault {
  const scanner = new Scanner(text);
  try {
    scanner.value('looking for beginning of value');
    return { kind: 'trailing', end: scanner.at };
  } catch (error) {
    if (error instanceof Fault) return { kind: 'syntax', message: error.message };
    if (error instanceof RangeError) return { kind: 'syntax', message: 'exceeded max depth' };
    throw error;
  }
}

const BLANKS = ' \t\r\n';
const LITERALS: Readonly<Record<string, string>> = { t: 'true', f: 'false', n: 'null' };

class Scanner {
  readonly #text: string;
  at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(context: string): void {
    this.#skipBlanks();
    const first = this.#text[this.at];
    if (first === '{') this.#object();
    else if (first === '[') this.#array();
    else if (first === '"') this.#string();
    else if (first === '-' || isDigit(first)) this.#number();
    else if (first !== undefined && Object.hasOwn(LITERALS, first)) this.#literal(LITERALS[first] ?? '');
    else this.#fail(context);
  }

  #object(): void {
    this.at++;
    this.#skipBlanks();
    if (this.#take('}')) return;
    for (;;) {
      this.#skipBlanks();
      if (this.#text[this.at] !== '"') this.#fail('looking for beginning of object key string');
      this.#string();
      this.#skipBlanks();
      if (!this.#take(':')) this.#fail('after object key');
      this.value('looking for beginning of value');
      this.#skipBlanks();
      if (this.#take('}')) return;
      if (!this.#take(',')) this.#fail('after object key:value pair');
    }
  }

  #array(): void {
    this.at++;
    this.#skipBlanks();
    if (this.#take(']')) return;
    for (;;) {
      this.value('looking for beginning of value');
      this.#skipBlanks();
      if (this.#take(']')) return;
      if (!this.#take(',')) this.#fail('after array element');
    }
  }

  #string(): void {
    this.at++;
    while (!this.#take('"')) {
      const character = this.#text[this.at];
      if (character === undefined || character < ' ') this.#fail('in string literal');
      this.at++;
      if (character === '\\') this.#escape();
    }
  }

  #escape(): void {
    const escaped = this.#text[this.at];
    if (escaped === undefined || !'"\\/bfnrtu'.includes(escaped)) this.#fail('in string escape code');
    this.at++;
    if (escaped !== 'u') return;
    for (let digit = 0; digit < 4; digit++) {
      if (!/^[0-9a-fA-F]$/.test(this.#text[this.at] ?? '')) this.#fail('in \\u hexadecimal character escape');
      this.at++;
    }
  }

  #number(): void {
    this.#take('-');
    if (!isDigit(this.#text[this.at])) this.#fail('in numeric literal');
    if (!this.#take('0')) this.#digits();
    if (this.#take('.')) {
      if (!isDigit(this.#text[this.at])) this.#fail('after decimal point in numeric literal');
      this.#digits();
    }
    if (this.#take('e') || this.#take('E')) {
      if (!this.#take('+')) this.#take('-');
      if (!isDigit(this.#text[this.at])) this.#fail('in exponent of numeric literal');
      this.#digits();
    }
  }

  #digits(): void {
    while (isDigit(this.#text[this.at])) this.at++;
  }

  #literal(word: string): void {
    for (const letter of word) {
      if (!this.#take(letter)) this.#fail(`in literal ${word} (expecting ${quoted(letter)})`);
    }
  }

  #skipBlanks(): void {
    while (this.at < this.#text.length && BLANKS.includes(this.#text[this.at] ?? '')) this.at++;
  }

  #take(character: string): boolean {
    if (this.#text[this.at] !== character) return false;
    this.at++;
    return true;
  }

  #fail(context: string): never {
    const code = this.#text.codePointAt(this.at);
    if (code === undefined) throw new Fault('unexpected EOF');
    throw new Fault(`invalid character ${quoted(String.fromCodePoint(code))} ${context}`);
  }
}

function isDigit(character: string | undefined): boolean {
  return character !== undefined && character >= '0' && character <= '9';
}

/** Go's `quoteChar`. */
function quoted(character: string): string {
  if (character === "'") return "'\\''";
  if (character === '"') return `'"'`;
  return `'${JSON.stringify(character).slice(1, -1)}'`;
}
