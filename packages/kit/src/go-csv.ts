import { WharfError } from './errors.ts';

/**
 * The fields of the first line of comma-separated values, as Go's encoding/csv reads it (RFC 4180): a field in quotes may hold commas,
 * line breaks and doubled quotes. Throws `invalid-argument` in that package's words, which Docker's clients pass on to users.
 */
export function parseGoCsv(text: string): readonly string[] {
  const reader = new LineReader(text);
  return reader.read();
}

/** A line of such fields; values with commas, quotes or line breaks are quoted. */
export function formatCsv(fields: readonly string[]): string {
  return fields.map((field) => (/[",\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)).join(',');
}

/** Keeps where it is as Go counts it: lines and bytes from 1. */
class LineReader {
  readonly #fields: string[] = [];
  readonly #lines: string[];
  #line = '';
  #number = 0;
  #first = 0;
  #column = 1;

  constructor(text: string) {
    this.#lines = text.replaceAll('\r\n', '\n').split(/(?<=\n)/);
  }

  read(): readonly string[] {
    do {
      if (!this.#nextLine()) throw new WharfError('invalid-argument', 'EOF');
    } while (this.#line === '\n');
    this.#first = this.#number;
    while (this.#line.startsWith('"') ? this.#quoted() : this.#plain());
    return this.#fields;
  }

  #nextLine(): boolean {
    const line = this.#lines.shift();
    if (line === undefined || line === '') return false;
    this.#line = line;
    this.#number += 1;
    this.#column = 1;
    return true;
  }

  /** Both return whether another field follows. */
  #plain(): boolean {
    const comma = this.#line.indexOf(',');
    const field = comma < 0 ? this.#line.replace(/\n$/, '') : this.#line.slice(0, comma);
    const quote = field.indexOf('"');
    if (quote >= 0) throw this.#fault(this.#column + bytes(field.slice(0, quote)), 'bare " in non-quoted-field');
    this.#fields.push(field);
    if (comma < 0) return false;
    this.#skip(comma + 1);
    return true;
  }

  #quoted(): boolean {
    this.#skip(1);
    let field = '';
    for (;;) {
      const quote = this.#line.indexOf('"');
      if (quote < 0) {
        field += this.#line;
        this.#skip(this.#line.length);
        if (!this.#nextLine()) throw this.#fault(this.#column, 'extraneous or missing " in quoted-field');
        continue;
      }
      field += this.#line.slice(0, quote);
      this.#skip(quote + 1);
      if (this.#line.startsWith('"')) {
        field += '"';
        this.#skip(1);
        continue;
      }
      this.#fields.push(field);
      if (this.#line === '' || this.#line === '\n') return false;
      if (!this.#line.startsWith(',')) throw this.#fault(this.#column - 1, 'extraneous or missing " in quoted-field');
      this.#skip(1);
      return true;
    }
  }

  #skip(length: number): void {
    this.#column += bytes(this.#line.slice(0, length));
    this.#line = this.#line.slice(length);
  }

  #fault(column: number, what: string): WharfError {
    const record = this.#first === this.#number ? '' : `record on line ${this.#first}; `;
    return new WharfError(
      'invalid-argument',
      `${record}parse error on line ${this.#number}, column ${column}: ${what}`,
    );
  }
}

function bytes(text: string): number {
  return Buffer.byteLength(text);
}
