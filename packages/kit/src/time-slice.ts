import { setImmediate } from 'node:timers/promises';

/** How long synchronous work may hold the event loop. */
const SLICE_MS = 4;

/**
 * Cuts a long row of short synchronous steps into slices, so that others have their turn between them.
 *
 *     const slice = new TimeSlice();
 *     for (const item of items) {
 *       await slice.turn();
 *       work(item);
 *     }
 */
export class TimeSlice {
  readonly #ms: number;
  #began = performance.now();

  /** `ms`: how long a slice is. */
  constructor(ms = SLICE_MS) {
    this.#ms = ms;
  }

  /** Resolves at once while the slice lasts, else after everybody else's turn. */
  async turn(): Promise<void> {
    if (performance.now() - this.#began < this.#ms) return;
    await setImmediate();
    this.#began = performance.now();
  }
}
