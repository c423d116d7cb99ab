import { formatBytes } from '@wharf/kit';

export interface TransferAmount {
  readonly current: number;
  readonly total?: number;
  readonly units?: string;
}

/** Writes Docker's progress documents. Amounts are dropped while the client has not taken the last one. */
export class TransferOutput {
  readonly #write: (document: object) => Promise<void>;
  readonly #withBar: boolean;
  #pending = 0;
  #started = false;

  constructor(write: (document: object) => Promise<void>, options: { readonly withBar: boolean }) {
    this.#write = write;
    this.#withBar = options.withBar;
  }

  /** True once something was written: an error then belongs into the stream. */
  get started(): boolean {
    return this.#started;
  }

  message(text: string, id?: string): void {
    this.#send({ status: text, ...(id === undefined ? {} : { id }) });
  }

  state(id: string, action: string, detail: object = {}): void {
    this.#send({ status: action, progressDetail: detail, id });
  }

  amount(id: string, action: string, amount: TransferAmount): void {
    if (this.#pending > 0) return;
    const bar = this.#withBar ? { progress: barOf(amount) } : {};
    this.#send({ status: action, progressDetail: amount, ...bar, id });
  }

  aux(value: object): void {
    this.#send({ progressDetail: {}, aux: value });
  }

  #send(document: object): void {
    this.#started = true;
    this.#pending += 1;
    this.#write(document)
      // A client that has left is noticed by the request's signal.
      .catch(() => undefined)
      .finally(() => {
        this.#pending -= 1;
      });
  }
}

/** The picture older clients print: `[====>    ]  5.2MB/10MB`. */
function barOf({ current, total = 0, units }: TransferAmount): string {
  if (units !== undefined) return total > 0 ? `${current}/${total} ${units}` : `${current} ${units}`;
  if (total <= 0 || current > total) return formatBytes(current).padStart(8);
  const filled = Math.min(50, Math.floor((current / total) * 50));
  return `[${'='.repeat(filled)}>${' '.repeat(50 - filled)}]  ${`${formatBytes(current)}/${formatBytes(total)}`.padStart(8)}`;
}
