import { WharfError } from '@wharf/kit';
import { MAX_LOG_READ, MAX_VALUE_LENGTH } from './limits.ts';
import type { Log, LogEntry } from './store.ts';

/** One record of a log on its way to the disk. */
export interface Appended {
  readonly log: string;
  readonly number: number;
  readonly json: string;
}

/** What a log needs of the store around it. */
export interface LogHost {
  /** Calls back to take an append back when the transaction around it fails; wakes the journal. */
  changed(undo: () => void): void;
  /** Records on disk, in order. */
  read(log: string, after: number, limit: number): readonly { readonly number: number; readonly json: string }[];
}

/** The records of one log that the disk does not have yet; the others are read from there. */
export class LogState implements Log<unknown> {
  readonly #name: string;
  readonly #host: LogHost;
  #last: number;
  #trimmedTo = 0;
  #trimPending = false;
  readonly #unwritten: Appended[] = [];

  constructor(options: { readonly name: string; readonly host: LogHost; readonly last: number }) {
    this.#name = options.name;
    this.#host = options.host;
    this.#last = options.last;
  }

  get last(): number {
    return this.#last;
  }

  append(value: unknown): number {
    const json = JSON.stringify(value);
    if (json === undefined || json.length > MAX_VALUE_LENGTH)
      throw new WharfError('invalid-argument', `Cannot append to log ${this.#name}: no JSON document, or too large`);
    const number = this.#last + 1;
    this.#last = number;
    this.#unwritten.push({ log: this.#name, number, json });
    this.#host.changed(() => {
      this.#unwritten.pop();
      this.#last = number - 1;
    });
    return number;
  }

  read({ after = 0, limit = MAX_LOG_READ }: { after?: number; limit?: number } = {}): readonly LogEntry<unknown>[] {
    const from = Math.max(after, this.#trimmedTo);
    const first = this.#unwritten[0]?.number ?? this.#last + 1;
    const rows: { readonly number: number; readonly json: string }[] = [];
    if (from + 1 < first) rows.push(...this.#host.read(this.#name, from, limit).filter(({ number }) => number < first));
    for (const row of this.#unwritten) if (row.number > from && rows.length < limit) rows.push(row);
    return rows.map(({ number, json }) => ({ number, value: JSON.parse(json) as unknown }));
  }

  trim(upTo: number): void {
    if (upTo <= this.#trimmedTo) return;
    const before = this.#trimmedTo;
    this.#trimmedTo = Math.min(upTo, this.#last);
    this.#trimPending = true;
    this.#host.changed(() => {
      this.#trimmedTo = before;
    });
  }

  /** What the next group takes along. */
  get unwritten(): readonly Appended[] {
    return this.#unwritten;
  }

  /** Up to where the next group drops records; `undefined` when there is nothing new to drop. */
  takeTrim(): number | undefined {
    if (!this.#trimPending) return undefined;
    this.#trimPending = false;
    return this.#trimmedTo;
  }

  /** The disk has the first records. */
  written(count: number): void {
    this.#unwritten.splice(0, count);
  }

  /** The group that was to trim has failed. */
  retryTrim(): void {
    this.#trimPending = true;
  }
}
