import type { Digest } from '@wharf/kit';
import type { PushedBlob } from '@wharf/oci/remote/pusher';
import type { Descriptor } from '@wharf/oci/spec/image';
import { isLayerType } from '@wharf/oci/spec/media-types';
import { PROGRESS_TICK_MS } from './limits.ts';
import { shortDigest } from './pull-progress.ts';
import type { TransferOutput } from './transfer-output.ts';

interface Line {
  readonly descriptor: Descriptor;
  state: 'listed' | 'waiting' | 'pushing' | 'done';
  bytes: number;
  told: number;
}

/** Tells of a push's blobs; configs go untold, as everywhere in Docker. */
export class PushProgress implements Disposable {
  readonly #output: TransferOutput;
  readonly #lines = new Map<Digest, Line>();
  readonly #timer: NodeJS.Timeout;

  constructor(output: TransferOutput) {
    this.#output = output;
    this.#timer = setInterval(() => this.#tick(), PROGRESS_TICK_MS);
  }

  list(descriptor: Descriptor): void {
    if (/\.(?:config|container\.image)\.v1\+json$/.test(descriptor.mediaType)) return;
    this.#lines.set(descriptor.digest, { descriptor, state: 'listed', bytes: 0, told: 0 });
  }

  sent(digest: Digest, bytes: number): void {
    const line = this.#lines.get(digest);
    if (line === undefined || line.state === 'done') return;
    line.state = 'pushing';
    line.bytes = bytes;
  }

  skipped(descriptor: Descriptor): void {
    this.#output.state(shortDigest(descriptor.digest), 'Skipped foreign layer');
  }

  done(digest: Digest, result: PushedBlob): void {
    const line = this.#lines.get(digest);
    if (line === undefined) return;
    line.state = 'done';
    this.#output.state(shortDigest(digest), textOf(line.descriptor, result));
  }

  #tick(): void {
    for (const line of this.#lines.values()) {
      const id = shortDigest(line.descriptor.digest);
      if (line.state === 'listed') {
        line.state = 'waiting';
        this.#output.state(id, 'Waiting');
      } else if (line.state === 'pushing' && line.told !== line.bytes) {
        line.told = line.bytes;
        this.#output.amount(id, 'Pushing', { current: line.bytes, total: line.descriptor.size });
      }
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

function textOf({ mediaType }: Descriptor, result: PushedBlob): string {
  if (result.how === 'mounted') return `Mounted from ${result.from}`;
  if (result.how === 'pushed') return 'Pushed';
  return isLayerType(mediaType) ? 'Layer already exists' : 'Already exists';
}
