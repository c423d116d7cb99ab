const COUNTER = 0;
const STATE = 1;
const WHOLE = 1;
const FAILED = 2;

/** How far a growing file is good, shared between the thread that writes it and one that reads behind. */
export class Watermark {
  readonly shared: SharedArrayBuffer;
  readonly #bytes: BigInt64Array;
  readonly #words: Int32Array;

  constructor(shared: SharedArrayBuffer = new SharedArrayBuffer(16)) {
    this.shared = shared;
    this.#bytes = new BigInt64Array(shared, 0, 1);
    this.#words = new Int32Array(shared, 8, 2);
  }

  /** The file holds so many good bytes. */
  advance(bytes: number): void {
    Atomics.store(this.#bytes, 0, BigInt(bytes));
    this.#wake();
  }

  /** The file is whole: what there is is all. */
  finish(): void {
    Atomics.store(this.#words, STATE, WHOLE);
    this.#wake();
  }

  /** Nothing more will come. */
  fail(): void {
    Atomics.store(this.#words, STATE, FAILED);
    this.#wake();
  }

  get bytes(): number {
    return Number(Atomics.load(this.#bytes, 0));
  }

  get isWhole(): boolean {
    return Atomics.load(this.#words, STATE) === WHOLE;
  }

  get isFailed(): boolean {
    return Atomics.load(this.#words, STATE) === FAILED;
  }

  /** Resolves once something has changed since `seen`, or after a while. */
  async changed(seen: number): Promise<void> {
    const { async, value } = Atomics.waitAsync(this.#words, COUNTER, seen, 1000);
    if (async) await value;
  }

  get version(): number {
    return Atomics.load(this.#words, COUNTER);
  }

  #wake(): void {
    Atomics.add(this.#words, COUNTER, 1);
    Atomics.notify(this.#words, COUNTER);
  }
}
