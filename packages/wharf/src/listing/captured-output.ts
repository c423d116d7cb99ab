import { Output } from '../cli/output.ts';

/** Keeps what a command writes, which goes to a terminal of that width elsewhere, or to none. */
export class CapturedOutput extends Output {
  readonly #columns: number | undefined;
  readonly #parts: Buffer[] = [];

  constructor(columns: number | undefined) {
    super(1);
    this.#columns = columns;
  }

  get text(): string {
    return Buffer.concat(this.#parts).toString('utf8');
  }

  override get isTerminal(): boolean {
    return this.#columns !== undefined;
  }

  override get columns(): number | undefined {
    return this.#columns;
  }

  override write(data: string | Uint8Array): void {
    this.#parts.push(Buffer.from(data));
  }
}
