import { WharfError } from '@wharf/kit/errors';
import type { BodyDecoder } from '../http/body-decoder.ts';
import type { Connection } from './connection.ts';
import type { AnswerHeaders } from './exchange.ts';
import { DOCKER_CLIENT_LIMITS } from './limits.ts';

/** What becomes of the connection once the answer is over. */
interface AnswerEnd {
  /** The whole answer was read. */
  done(): void;
  /** It was not: the connection cannot be used again. */
  failed(): void;
  /** An error as the caller is to see it. */
  explain(error: unknown): unknown;
}

interface AnswerParts {
  readonly status: number;
  readonly statusText: string;
  readonly headers: AnswerHeaders;
  readonly connection: Connection;
  readonly decoder: BodyDecoder | 'none' | undefined;
  readonly end: AnswerEnd;
}

/** The head of an answer, and its body as it comes. Read it, or `discard()`: until then it holds its connection. */
export class DaemonAnswer {
  readonly status: number;
  readonly statusText: string;
  /** Names in lower case. */
  readonly headers: AnswerHeaders;
  /** The body's bytes; can be read once. Ending the loop early closes the connection, which the daemon takes as the client leaving. */
  readonly body: AsyncIterable<Buffer>;
  readonly #discard: () => void;

  constructor({ status, statusText, headers, connection, decoder, end }: AnswerParts) {
    this.status = status;
    this.statusText = statusText;
    this.headers = headers;
    let isOver = decoder === 'none';
    if (isOver) end.done();
    this.#discard = () => {
      if (!isOver) end.failed();
      isOver = true;
    };
    this.body = {
      async *[Symbol.asyncIterator]() {
        if (isOver || decoder === 'none') return;
        try {
          yield* bodyOf(connection, decoder);
          isOver = true;
          end.done();
        } catch (error) {
          throw end.explain(error);
        } finally {
          if (!isOver) {
            isOver = true;
            end.failed();
          }
        }
      },
    };
  }

  /** The whole body as text. Throws `resource-exhausted` beyond the limit. */
  async text(limitBytes: number = DOCKER_CLIENT_LIMITS.answerBytes): Promise<string> {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of this.body) {
      size += chunk.length;
      if (size > limitBytes) {
        throw new WharfError('resource-exhausted', `the daemon's answer is larger than ${limitBytes} bytes`);
      }
      chunks.push(chunk);
    }
    return (chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)).toString('utf8');
  }

  /** Gives the rest of the answer up. */
  discard(): void {
    this.#discard();
  }
}

async function* bodyOf(
  { source }: Connection,
  decoder: BodyDecoder | undefined,
): AsyncGenerator<Buffer, void, undefined> {
  const pieces: Buffer[] = [];
  while (decoder?.done !== true) {
    const chunk = await source.read();
    if (chunk === undefined) {
      if (decoder === undefined) return;
      throw new WharfError('unavailable', 'unexpected EOF', { code: 'cut-off' });
    }
    if (decoder === undefined) {
      yield chunk;
      continue;
    }
    const used = decoder.push(chunk, (piece) => pieces.push(piece));
    source.unread(chunk.subarray(used));
    yield* pieces.splice(0);
  }
}
