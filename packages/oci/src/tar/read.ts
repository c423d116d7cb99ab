import type { TarEntry } from './entry.ts';
import { TarParser } from './parser.ts';

const HOLE_CHUNK = Buffer.alloc(64 * 1024);

/** An entry with its content as a stream. The content can be read once, before the next entry is asked for. */
export interface TarMember {
  readonly entry: TarEntry;
  /** The content, holes filled with zeros. Leaving it unread or half read is fine: the rest is skipped. */
  readonly content: AsyncIterable<Buffer>;
}

type Event =
  | { readonly kind: 'entry'; readonly entry: TarEntry }
  | { readonly kind: 'data'; readonly chunk: Buffer; readonly position: number }
  | { readonly kind: 'end' };

/**
 * Reads an archive entry by entry. Pulls from `source` only as the caller goes on, so a slow reader slows the source.
 * Drains `source` to its end after the end marker, so that digests over it are complete. Throws `data-loss`.
 */
export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<TarMember, void, undefined> {
  const events = tarEvents(source);
  for (;;) {
    const next = await events.next();
    if (next.done) return;
    if (next.value.kind !== 'entry') continue;
    const { entry } = next.value;
    yield { entry, content: contentOf(entry, events) };
  }
}

async function* contentOf(entry: TarEntry, events: AsyncGenerator<Event, void, undefined>): AsyncGenerator<Buffer> {
  let position = 0;
  for (;;) {
    const next = await events.next();
    if (next.done || next.value.kind === 'entry') return;
    if (next.value.kind === 'end') {
      yield* zeros(entry.sizeBytes - position);
      return;
    }
    yield* zeros(next.value.position - position);
    position = next.value.position + next.value.chunk.length;
    yield next.value.chunk;
  }
}

function* zeros(count: number): Generator<Buffer> {
  for (let left = count; left > 0; left -= HOLE_CHUNK.length)
    yield HOLE_CHUNK.subarray(0, Math.min(left, HOLE_CHUNK.length));
}

async function* tarEvents(source: AsyncIterable<Uint8Array>): AsyncGenerator<Event, void, undefined> {
  let queue: Event[] = [];
  const parser = new TarParser({
    entry: (entry) => queue.push({ kind: 'entry', entry }),
    data: (chunk, position) => queue.push({ kind: 'data', chunk, position }),
    end: () => queue.push({ kind: 'end' }),
  });
  for await (const chunk of source) {
    parser.push(chunk);
    const ready = queue;
    queue = [];
    yield* ready;
  }
  parser.finish();
  yield* queue;
}
