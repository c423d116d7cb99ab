import type { ProgressMessage } from './message.ts';

/** How far one layer is. */
interface LayerState {
  current: number;
  total: number;
  /** Its bytes are there; what remains is unpacking. */
  isMoved: boolean;
  isDone: boolean;
}

/** States by docker's words for them. */
const MOVED =
  /^(Download complete|Verifying Checksum|Extracting|Pull complete|Pushed|Already exists|Layer already exists|Mounted from)/;
const DONE = /^(Pull complete|Already exists|Pushed|Layer already exists|Mounted from)/;
const MOVES = /^(Downloading|Pushing)/;
const LAYER =
  /^(Pulling fs layer|Waiting|Preparing|Downloading|Pushing|Retrying|Extracting|Verifying Checksum|Download complete)/;
const SAMPLES_MS = 3_000;

/** An image that is pulled or pushed: its layers, bytes and speed, from the daemon's messages. */
export class Transfer {
  readonly #layers = new Map<string, LayerState>();
  readonly #startedAt: number;
  #samples: { readonly at: number; readonly bytes: number }[] = [];
  /** `Digest: …` and the like: what is left to say at the end. */
  readonly notes: string[] = [];

  constructor(nowMs: number) {
    this.#startedAt = nowMs;
  }

  update({ id = '', status = '', progressDetail }: ProgressMessage, nowMs: number): void {
    const known = this.#layers.get(id);
    if (known === undefined && !(LAYER.test(status) || DONE.test(status))) {
      if (id === '' && /^(Digest|Status): |^[^ ]+: digest: /.test(status)) this.notes.push(status);
      return;
    }
    const layer = known ?? { current: 0, total: 0, isMoved: false, isDone: false };
    this.#layers.set(id, layer);
    const { current = 0, total = 0 } = progressDetail ?? {};
    if (MOVES.test(status)) {
      layer.current = current;
      layer.total = Math.max(layer.total, total, current);
    }
    if (MOVED.test(status)) {
      layer.isMoved = true;
      layer.current = layer.total;
    }
    if (DONE.test(status)) layer.isDone = true;
    this.#sample(nowMs);
  }

  get layers(): { readonly done: number; readonly all: number } {
    const all = [...this.#layers.values()];
    return { done: all.filter(({ isDone }) => isDone).length, all: all.length };
  }

  get bytes(): { readonly current: number; readonly total: number } {
    let [current, total] = [0, 0];
    for (const layer of this.#layers.values()) {
      current += layer.current;
      total += layer.total;
    }
    return { current, total };
  }

  /** Everything has been moved, and some of it is still being unpacked. */
  get isUnpacking(): boolean {
    const all = [...this.#layers.values()];
    return all.length > 0 && all.every(({ isMoved }) => isMoved) && all.some(({ isDone }) => !isDone);
  }

  /** Of the last seconds; 0 while too little is known. */
  bytesPerSecond(nowMs: number): number {
    const [first] = this.#samples;
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || nowMs - first.at < 100) return 0;
    return ((last.bytes - first.bytes) / (nowMs - first.at)) * 1000;
  }

  seconds(nowMs: number): number {
    return (nowMs - this.#startedAt) / 1000;
  }

  #sample(nowMs: number): void {
    this.#samples.push({ at: nowMs, bytes: this.bytes.current });
    this.#samples = this.#samples.filter(({ at }) => nowMs - at <= SAMPLES_MS);
  }
}
