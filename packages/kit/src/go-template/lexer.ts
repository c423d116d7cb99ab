/** A word of a template. `text` is a run of text outside of actions. */
export interface Token {
  readonly kind: TokenKind;
  readonly at: number;
  readonly text: string;
  readonly line: number;
}

export type TokenKind =
  | 'text'
  | 'left'
  | 'right'
  | 'space'
  | 'assign'
  | 'declare'
  | 'pipe'
  | 'string'
  | 'raw-string'
  | 'character'
  | 'char'
  | 'number'
  | 'complex'
  | 'variable'
  | 'field'
  | 'dot'
  | 'identifier'
  | 'bool'
  | 'open'
  | 'close'
  | 'keyword'
  | 'error'
  | 'eof';

const KEYWORDS = new Set('block break continue define else end if range nil template with'.split(' '));
const SPACE = /[ \t\r\n]/;
const ALPHANUMERIC = /[\p{L}\p{Nd}_]/u;

/** The words of a template; a text that makes no sense ends with an `error`, whose text says why. */
export function lex(text: string): readonly Token[] {
  return new Lexer(text).run();
}

class Lexer {
  readonly #text: string;
  readonly #tokens: Token[] = [];
  #at = 0;
  #start = 0;
  #line = 1;
  #countedTo = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  run(): readonly Token[] {
    while (this.#outside() && this.#inside());
    return this.#tokens;
  }

  /** Text up to the next action; false at the end of the template. */
  #outside(): boolean {
    for (;;) {
      const from = this.#at;
      const left = this.#text.indexOf('{{', from);
      const end = left < 0 ? this.#text.length : left;
      const trimmed = left >= 0 && this.#isTrimMark(left + 2) ? trimEnd(this.#text, from, end) : end;
      this.#start = from;
      if (trimmed > from) this.#emitTo('text', trimmed);
      this.#start = end;
      if (left < 0) {
        this.#emitTo('eof', end);
        return false;
      }
      const body = left + 2 + (this.#isTrimMark(left + 2) ? 2 : 0);
      if (!this.#text.startsWith('/*', body)) {
        this.#emitTo('left', left + 2);
        this.#at = body;
        this.#depth = 0;
        return true;
      }
      if (!this.#comment(body)) return false;
    }
  }

  #comment(body: number): boolean {
    this.#start = body;
    const close = this.#text.indexOf('*/', body + 2);
    if (close < 0) return this.#fail('unclosed comment');
    const after = this.#rightDelimiter(close + 2);
    if (after === undefined) return this.#fail('comment ends before closing delimiter');
    this.#at = after;
    return true;
  }

  /** Where the text goes on after a right delimiter that starts here, blanks trimmed if it says so. */
  #rightDelimiter(at: number): number | undefined {
    if (this.#text.startsWith('}}', at)) return at + 2;
    if (!SPACE.test(this.#text[at] ?? '') || !this.#text.startsWith('-}}', at + 1)) return undefined;
    let end = at + 4;
    while (SPACE.test(this.#text[end] ?? '')) end += 1;
    return end;
  }

  /** The words of an action; false where they make no sense. */
  #inside(): boolean {
    for (;;) {
      this.#start = this.#at;
      const end = this.#rightDelimiter(this.#at);
      if (end !== undefined) {
        if (this.#depth > 0) return this.#fail('unclosed left paren');
        this.#emitTo('right', end);
        return true;
      }
      if (!this.#word()) return false;
    }
  }

  #word(): boolean {
    const character = this.#peek();
    if (character === '') return this.#fail('unclosed action');
    if (SPACE.test(character)) return this.#blanks();
    if (character === '"') return this.#quoted();
    if (character === '`') return this.#rawString();
    if (character === "'") return this.#characterConstant();
    if (character === '$' || (character === '.' && !/\d/.test(this.#text[this.#at + 1] ?? ''))) return this.#path();
    if (/[+\-.\d]/.test(character)) return this.#number();
    if (ALPHANUMERIC.test(character)) return this.#identifier();
    return this.#sign(character);
  }

  #sign(character: string): boolean {
    this.#at += character.length;
    switch (character) {
      case '=':
        return this.#emit('assign');
      case '|':
        return this.#emit('pipe');
      case ':':
        if (this.#peek() !== '=') return this.#fail('expected :=');
        this.#at += 1;
        return this.#emit('declare');
      case '(':
        this.#depth += 1;
        return this.#emit('open');
      case ')':
        this.#depth -= 1;
        return this.#depth < 0 ? this.#fail('unexpected right paren') : this.#emit('close');
      default:
        if (/[\x21-\x7e]/.test(character)) return this.#emit('char');
        return this.#fail(`unrecognized character in action: ${unicodeName(character)}`);
    }
  }

  #blanks(): boolean {
    while (SPACE.test(this.#peek())) this.#at += 1;
    // A trimming delimiter starts with one of the blanks.
    if (this.#text.startsWith('-}}', this.#at) && this.#at - this.#start > 1) this.#at -= 1;
    return this.#emit('space');
  }

  #quoted(): boolean {
    this.#at += 1;
    for (;;) {
      const character = this.#peek();
      if (character === '' || character === '\n') return this.#fail('unterminated quoted string');
      this.#at += character.length;
      if (character === '"') return this.#emit('string');
      if (character !== '\\') continue;
      const escaped = this.#peek();
      if (escaped === '' || escaped === '\n') return this.#fail('unterminated quoted string');
      this.#at += escaped.length;
    }
  }

  #rawString(): boolean {
    const close = this.#text.indexOf('`', this.#at + 1);
    if (close < 0) return this.#fail('unterminated raw quoted string');
    this.#at = close + 1;
    return this.#emit('raw-string');
  }

  #characterConstant(): boolean {
    const match = /'(?:\\[^\n]|[^'\\\n])*'/uy;
    match.lastIndex = this.#at;
    const found = match.exec(this.#text);
    if (found === null) return this.#fail('unterminated character constant');
    this.#at += found[0].length;
    return this.#emit('character');
  }

  #number(): boolean {
    if (!this.#scanNumber()) return this.#fail(`bad number syntax: ${JSON.stringify(this.#word0())}`);
    if (!/[+-]/.test(this.#peek())) return this.#emit('number');
    if (!this.#scanNumber() || !this.#word0().endsWith('i')) {
      return this.#fail(`bad number syntax: ${JSON.stringify(this.#word0())}`);
    }
    return this.#emit('complex');
  }

  #scanNumber(): boolean {
    const shape =
      /[+-]?(?:0[xX][\da-fA-F_]*(?:\.[\da-fA-F_]*)?(?:[pP][+-]?[\d_]*)?|0[oO][0-7_]*(?:\.[0-7_]*)?|0[bB][01_]*(?:\.[01_]*)?|[\d_]*(?:\.[\d_]*)?(?:[eE][+-]?[\d_]*)?)i?/y;
    shape.lastIndex = this.#at;
    this.#at += shape.exec(this.#text)?.[0].length ?? 0;
    const next = this.#peek();
    if (next === '' || !ALPHANUMERIC.test(next)) return true;
    this.#at += next.length;
    return false;
  }

  #identifier(): boolean {
    this.#alphanumerics();
    const next = this.#peek();
    if (!this.#terminated()) return this.#fail(`bad character ${unicodeName(next)}`);
    const word = this.#word0();
    if (KEYWORDS.has(word)) return this.#emit('keyword');
    return this.#emit(word === 'true' || word === 'false' ? 'bool' : 'identifier');
  }

  /** `.`, `.Field`, `$`, `$name`. */
  #path(): boolean {
    const variable = this.#peek() === '$';
    this.#at += 1;
    if (this.#terminated()) return this.#emit(variable ? 'variable' : 'dot');
    this.#alphanumerics();
    if (!this.#terminated()) return this.#fail(`bad character ${unicodeName(this.#peek())}`);
    return this.#emit(variable ? 'variable' : 'field');
  }

  #alphanumerics(): void {
    for (let next = this.#peek(); next !== '' && ALPHANUMERIC.test(next); next = this.#peek()) this.#at += next.length;
  }

  #terminated(): boolean {
    const next = this.#peek();
    return next === '' || SPACE.test(next) || '.,|:)('.includes(next) || this.#text.startsWith('}}', this.#at);
  }

  #isTrimMark(at: number): boolean {
    return this.#text[at] === '-' && SPACE.test(this.#text[at + 1] ?? '');
  }

  #peek(): string {
    const code = this.#text.codePointAt(this.#at);
    return code === undefined ? '' : String.fromCodePoint(code);
  }

  #word0(): string {
    return this.#text.slice(this.#start, this.#at);
  }

  #emitTo(kind: TokenKind, end: number): void {
    this.#at = end;
    this.#emit(kind);
  }

  #emit(kind: TokenKind): true {
    this.#tokens.push({ kind, at: this.#start, text: this.#word0(), line: this.#lineOf(this.#start) });
    return true;
  }

  #fail(message: string): false {
    this.#tokens.push({ kind: 'error', at: this.#start, text: message, line: this.#lineOf(this.#start) });
    return false;
  }

  #lineOf(at: number): number {
    for (; this.#countedTo < at; this.#countedTo += 1) if (this.#text[this.#countedTo] === '\n') this.#line += 1;
    return this.#line;
  }
}

function trimEnd(text: string, from: number, end: number): number {
  let at = end;
  while (at > from && SPACE.test(text[at - 1] ?? '')) at -= 1;
  return at;
}

/** As Go's `%#U`: `U+0040 '@'`. */
function unicodeName(character: string): string {
  const code = character === '' ? -1 : (character.codePointAt(0) ?? 0);
  if (code < 0) return 'U+FFFFFFFFFFFFFFFF';
  const name = `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
  return /[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(character) ? `${name} '${character}'` : name;
}
