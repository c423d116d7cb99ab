import { WharfError } from '@wharf/kit';

export type TomlValue = string | number | boolean | readonly TomlValue[] | TomlTable;
export interface TomlTable {
  readonly [key: string]: TomlValue;
}

type Mutable = { [key: string]: TomlValue };

/**
 * Reads the part of TOML 1.0 that hosts files use: tables with dotted and quoted names, strings of one line, integers, booleans,
 * and arrays. Throws `invalid-argument` naming the line.
 */
export function parseToml(text: string): TomlTable {
  return new Reader(text).document();
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): TomlTable {
    const root: Mutable = Object.create(null) as Mutable;
    let table = root;
    for (this.#blank(true); this.#at < this.#text.length; this.#blank(true)) {
      if (this.#take('[')) {
        if (this.#take('[')) throw this.#wrong('arrays of tables are not read here');
        const path = this.#path();
        this.#expect(']');
        table = path.reduce((at, name) => this.#child(at, name), root);
      } else {
        const path = this.#path();
        this.#expect('=');
        const last = path.pop() ?? '';
        const home = path.reduce((at, name) => this.#child(at, name), table);
        if (last in home) throw this.#wrong(`"${last}" is given twice`);
        home[last] = this.#value();
      }
      this.#endOfLine();
    }
    return root;
  }

  #child(table: Mutable, name: string): Mutable {
    const known = table[name];
    if (known === undefined) {
      const made: Mutable = Object.create(null) as Mutable;
      table[name] = made;
      return made;
    }
    if (typeof known !== 'object' || Array.isArray(known)) throw this.#wrong(`"${name}" is no table`);
    return known as Mutable;
  }

  #path(): string[] {
    const names: string[] = [];
    do {
      this.#blank(false);
      names.push(this.#name());
      this.#blank(false);
    } while (this.#take('.'));
    return names;
  }

  #name(): string {
    const next = this.#text[this.#at];
    if (next === '"' || next === "'") return this.#string();
    const bare = /[A-Za-z0-9_-]+/y;
    bare.lastIndex = this.#at;
    const found = bare.exec(this.#text)?.[0];
    if (found === undefined) throw this.#wrong('a name is missing');
    this.#at += found.length;
    return found;
  }

  #value(): TomlValue {
    this.#blank(false);
    const next = this.#text[this.#at];
    if (next === '"' || next === "'") return this.#string();
    if (this.#take('[')) return this.#array();
    const word = /[A-Za-z0-9_+.-]+/y;
    word.lastIndex = this.#at;
    const found = word.exec(this.#text)?.[0] ?? '';
    this.#at += found.length;
    if (found === 'true' || found === 'false') return found === 'true';
    if (/^[+-]?\d[\d_]*$/.test(found)) return Number(found.replaceAll('_', ''));
    throw this.#wrong(`"${found}" is no value this reads`);
  }

  #array(): TomlValue[] {
    const values: TomlValue[] = [];
    for (;;) {
      this.#blank(true);
      if (this.#take(']')) return values;
      values.push(this.#value());
      this.#blank(true);
      if (this.#take(',')) continue;
      this.#expect(']');
      return values;
    }
  }

  #string(): string {
    const quote = this.#text[this.#at] ?? '';
    if (this.#text.startsWith(quote.repeat(3), this.#at))
      throw this.#wrong('strings of several lines are not read here');
    const pattern = quote === "'" ? /'([^'\n]*)'/y : /"((?:[^"\\\n]|\\.)*)"/y;
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found === null) throw this.#wrong('a string does not end');
    this.#at += found[0].length;
    return quote === "'" ? (found[1] ?? '') : this.#unescape(found[1] ?? '');
  }

  #unescape(text: string): string {
    const plain: Readonly<Record<string, string>> = {
      b: '\b',
      t: '\t',
      n: '\n',
      f: '\f',
      r: '\r',
      '"': '"',
      '\\': '\\',
    };
    return text.replace(/\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)/g, (_, code: string) => {
      if (code.length > 1) return String.fromCodePoint(Math.min(0x10ffff, Number.parseInt(code.slice(1), 16)));
      const known = plain[code];
      if (known === undefined) throw this.#wrong(`"\\${code}" is no escape`);
      return known;
    });
  }

  #blank(lines: boolean): void {
    const pattern = lines ? /(?:[ \t\r\n]|#[^\n]*)*/y : /[ \t]*/y;
    pattern.lastIndex = this.#at;
    this.#at += pattern.exec(this.#text)?.[0].length ?? 0;
  }

  #endOfLine(): void {
    const pattern = /[ \t]*(?:#[^\n]*)?\r?(?:\n|$)/y;
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found === null) throw this.#wrong('the line does not end here');
    this.#at += found[0].length;
  }

  #take(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #expect(text: string): void {
    this.#blank(false);
    if (!this.#take(text)) throw this.#wrong(`"${text}" is missing`);
  }

  #wrong(what: string): WharfError {
    const line = this.#text.slice(0, this.#at).split('\n').length;
    return new WharfError('invalid-argument', `line ${line}: ${what}`);
  }
}
