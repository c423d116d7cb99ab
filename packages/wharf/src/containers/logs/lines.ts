import { Demuxer, STDERR } from '@wharf/wire/stdcopy';
import { LOG_LINE_LIMIT_BYTES } from './limits.ts';

/** A line of a container's log, without its end. */
export interface LogLine {
  readonly isError: boolean;
  readonly text: Buffer;
}

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Cuts one stream into lines. A line longer than the limit comes in pieces, each as a line. */
class Lines {
  #parts: Buffer[] = [];
  #size = 0;

  push(chunk: Buffer): readonly Buffer[] {
    const lines: Buffer[] = [];
    for (let at = 0; at < chunk.length; ) {
      const end = chunk.indexOf(LINE_FEED, at);
      const piece = chunk.subarray(at, end < 0 ? chunk.length : end);
      at += piece.length + 1;
      // The daemon's next chunk comes in the same memory.
      this.#parts.push(end < 0 ? Buffer.from(piece) : piece);
      this.#size += piece.length;
      if (end >= 0 || this.#size > LOG_LINE_LIMIT_BYTES) lines.push(this.#take());
    }
    return lines;
  }

  /** What is left without an end. */
  rest(): readonly Buffer[] {
    return this.#size === 0 ? [] : [this.#take()];
  }

  #take(): Buffer {
    const line = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#size = 0;
    return line.at(-1) === CARRIAGE_RETURN ? line.subarray(0, -1) : line;
  }
}

/** The lines of a log as they come. */
export async function* logLines(
  body: AsyncIterable<Buffer>,
  { tty }: { readonly tty: boolean },
): AsyncGenerator<LogLine, void, undefined> {
  const streams = { out: new Lines(), err: new Lines() };
  const found: LogLine[] = [];
  const take = (isError: boolean, lines: readonly Buffer[]): void => {
    for (const text of lines) found.push({ isError, text });
  };
  const demuxer = new Demuxer((stream, payload) => {
    const isError = stream === STDERR;
    take(isError, (isError ? streams.err : streams.out).push(payload));
  });
  for await (const chunk of body) {
    if (tty) take(false, streams.out.push(chunk));
    else demuxer.push(chunk);
    yield* found.splice(0);
  }
  take(false, streams.out.rest());
  take(true, streams.err.rest());
  yield* found;
}

/** Takes the time off the begin of a line that the log was asked to have there. */
export function splitTime({ text, isError }: LogLine): { readonly time: string; readonly line: LogLine } {
  const blank = text.indexOf(' ');
  const time = text.toString('latin1', 0, blank < 0 ? text.length : blank);
  return { time, line: { isError, text: blank < 0 ? Buffer.alloc(0) : text.subarray(blank + 1) } };
}
