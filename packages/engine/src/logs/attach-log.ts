import { open } from 'node:fs/promises';
import { hasErrno } from '@wharf/kit';
import { ChunkReader } from './chunk-reader.ts';
import { CriScanner } from './cri.ts';
import type { Follower, OpenSegment } from './log-store.ts';
import type { PendingLine } from './message-joiner.ts';
import { LogRecord } from './record.ts';
import type { SpoolHold } from './spool-space.ts';

/** A moment between log and spool: every byte of the process is in the files, begun in a line, or in the spool from the hold on. */
export interface LogMark {
  readonly opened: readonly OpenSegment[];
  readonly pending: readonly (PendingLine | null)[];
  readonly hold: SpoolHold;
}

export type VisitAll = (record: LogRecord) => void;

/** The beginnings of lines as records, which have no end yet. */
export function pendingRecords(pending: readonly (PendingLine | null)[]): readonly LogRecord[] {
  return ([1, 2] as const).flatMap((stream) => {
    const line = pending[stream];
    if (!line) return [];
    const record = new LogRecord();
    record.stream = stream;
    record.data = Buffer.from(line.data, 'base64');
    record.end = record.data.length;
    record.newline = false;
    return [record];
  });
}

/** Reads a spool from the hold on, as the monitor writes it, and ends at its end once `grows` is false. */
export async function* followSpool(options: {
  readonly path: string;
  readonly hold: SpoolHold;
  readonly follower: Follower;
  readonly grows: () => boolean;
  readonly signal: AbortSignal;
}): AsyncGenerator<(visit: VisitAll) => void, void, void> {
  const { hold, follower, signal } = options;
  const handle = await open(options.path, 'r').catch((error: unknown) => {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw error;
  });
  if (!handle) return;
  const reader = new ChunkReader([{ handle, compressed: false, offset: hold.offset, end: undefined, base: 0 }]);
  const scanner = new CriScanner();
  try {
    while (!signal.aborted && !hold.lost) {
      const seen = follower.version;
      const grows = options.grows();
      const chunk = await reader.next();
      if (chunk) {
        hold.offset = chunk.position + chunk.data.length;
        yield (visit) =>
          void scanner.scan(chunk.data, (record) => {
            visit(record);
            return true;
          });
      } else if (grows) await follower.wait(seen, signal);
      else break;
    }
  } finally {
    await reader.close();
  }
}
