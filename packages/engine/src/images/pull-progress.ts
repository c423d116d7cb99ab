import { type Digest, splitDigest } from '@wharf/kit';
import type { DownloadProgress } from '@wharf/oci/remote/downloads';
import type { Descriptor } from '@wharf/oci/spec/image';
import { PROGRESS_TICK_MS } from './limits.ts';
import type { TransferOutput } from './transfer-output.ts';

/** The twelve digits by which Docker shows a blob. */
export function shortDigest(digest: Digest): string {
  return splitDigest(digest).hex.slice(0, 12);
}

interface Line {
  readonly id: string;
  readonly total: number;
  state: 'listed' | 'waiting' | 'downloading' | 'verifying' | 'complete' | 'done';
  bytes: number;
  told: number;
  extractingSince: number;
}

/** Tells of a pull's layers: states at once, amounts ten times a second. */
export class PullProgress implements Disposable {
  readonly #output: TransferOutput;
  readonly #lines = new Map<Digest, Line>();
  readonly #timer: NodeJS.Timeout;

  constructor(output: TransferOutput) {
    this.#output = output;
    this.#timer = setInterval(() => this.#tick(), PROGRESS_TICK_MS);
  }

  list({ digest, size }: Descriptor): void {
    if (this.#lines.has(digest)) return;
    const id = shortDigest(digest);
    this.#lines.set(digest, { id, total: size, state: 'listed', bytes: 0, told: -1, extractingSince: 0 });
    this.#output.state(id, 'Pulling fs layer');
  }

  exists(digest: Digest): void {
    const line = this.#lines.get(digest);
    if (line === undefined) return;
    line.state = 'complete';
    this.#output.state(line.id, 'Already exists', HIDE);
  }

  download(digest: Digest, { state, bytes }: DownloadProgress): void {
    const line = this.#lines.get(digest);
    if (line === undefined || line.state === 'done') return;
    const before = line.state;
    line.bytes = bytes;
    line.state = state === 'waiting' ? 'listed' : state;
    if (before === line.state) return;
    if (state === 'verifying') this.#output.state(line.id, 'Verifying Checksum');
    if (state === 'complete') this.#output.state(line.id, 'Download complete', HIDE);
  }

  extracting(digest: Digest): void {
    const line = this.#lines.get(digest);
    if (line !== undefined && line.extractingSince === 0) line.extractingSince = performance.now();
  }

  complete(digest: Digest): void {
    const line = this.#lines.get(digest);
    if (line === undefined || line.state === 'done') return;
    line.state = 'done';
    this.#output.state(line.id, 'Pull complete', HIDE);
  }

  #tick(): void {
    for (const line of this.#lines.values()) {
      if (line.state === 'listed') {
        line.state = 'waiting';
        this.#output.state(line.id, 'Waiting');
      } else if (line.state === 'downloading' && line.bytes !== line.told) {
        line.told = line.bytes;
        this.#output.amount(line.id, 'Downloading', { current: line.bytes, total: line.total });
      } else if (line.state === 'complete' && line.extractingSince > 0) {
        // As the containerd image store counts: seconds, from one on.
        const seconds = 1 + Math.floor((performance.now() - line.extractingSince) / 1000);
        this.#output.amount(line.id, 'Extracting', { current: seconds, units: 's' });
      }
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

const HIDE = { hidecounts: true };
